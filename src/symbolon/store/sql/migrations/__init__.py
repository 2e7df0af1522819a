"""Migrations of the store, run by `symbolon.store.sql.migrating`."""
