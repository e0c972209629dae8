"""Connections to MongoDB and Valkey. Nobody outside this package knows which server answers."""
