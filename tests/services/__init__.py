"""Stories in facts and results, never call counts: the services with the real adapters, the real store and the sandbox."""
