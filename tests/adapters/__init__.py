"""The adapters over real TLS sockets, and their answers mutated. Next door: `conformance`, which asks what is promised."""
