"""What may be forgotten: alarms in the desk's custody, long after. Never one that still waits for its receipt."""

from sqlalchemy import Connection

KEPT_S = 90 * 86400.0
BATCH = 200  # alarms in one transaction: an alarm that is struck meanwhile waits for milliseconds only
# Whose first clock was not trusted is kept as long from the first day on which one was.
_UNDATED = "SELECT 1 FROM alarm WHERE kept_from_s IS NULL LIMIT 1"
_DATE = "UPDATE alarm SET kept_from_s = ? WHERE kept_from_s IS NULL"
_OLD = """
    SELECT sequence FROM alarm WHERE kept_from_s < ? AND sequence NOT IN
    (SELECT sequence FROM outbox WHERE receipted < revision) ORDER BY kept_from_s LIMIT ?"""
_DELETE = "DELETE FROM alarm WHERE sequence = ?"  # presses, sightings, replies and the outbox row go with it
# Of a desk's clock (its numbers are milliseconds): the engine refuses older words, so none can be obeyed twice.
_OLD_WORDS = "SELECT desk, number FROM word WHERE number < ? AND fate <> 'received' LIMIT ?"
_DELETE_WORD = "DELETE FROM word WHERE desk = ? AND number = ?"


def delete_old(connection: Connection, now_wall_s: float, kept_s: float) -> int:
    """One batch in one transaction; how many alarms and words went. Writes nothing when nothing is old."""
    undated = connection.exec_driver_sql(_UNDATED).first()
    alarms = [tuple(row) for row in connection.exec_driver_sql(_OLD, (now_wall_s - kept_s, BATCH))]
    words_before = (now_wall_s - max(kept_s, KEPT_S)) * 1000
    words = [tuple(row) for row in connection.exec_driver_sql(_OLD_WORDS, (words_before, BATCH))]
    connection.rollback()
    if not (undated or alarms or words):
        return 0
    with connection.begin():
        connection.exec_driver_sql(_DATE, (now_wall_s,))
        for statement, rows in ((_DELETE, alarms), (_DELETE_WORD, words)):
            if rows:
                connection.exec_driver_sql(statement, rows)
    return len(alarms) + len(words)
