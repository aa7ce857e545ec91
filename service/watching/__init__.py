"""What people and programs may see of a service that runs: logs, metrics, a page."""
