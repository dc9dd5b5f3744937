"""Listens at the PostgreSQL of the environment until three notifications have
come, and asks then for something else."""
import select

import psycopg2

connection = psycopg2.connect("")
connection.autocommit = True
cursor = connection.cursor()
cursor.execute("LISTEN news")
print("listening", flush=True)
while len(connection.notifies) < 3:
    select.select([connection], [], [])
    connection.poll()
cursor.execute("SELECT 'heard'")
