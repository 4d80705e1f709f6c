"""The worker process: `engine` calls a service for each wake-up, `pulse` wakes rows whose time has come. Neither decides."""
