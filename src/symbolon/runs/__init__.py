"""Durable execution: what was begun goes on after a crash. The only room that knows DBOS."""
