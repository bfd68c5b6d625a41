"""HTTP in, HTML and JSON out: pages, API, health."""
