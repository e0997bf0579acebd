"""Usage: python elastic.py URL

Sends with Elastic's own client by its helpers for bulk requests: in parts, compressed, and from several threads.
"""

import sys

from elasticsearch import Elasticsearch, helpers

with Elasticsearch(sys.argv[1], http_compress=True) as client:
    rows = ({"@timestamp": "2026-03-01T09:00:00Z", "n": n, "note": 'say "hi" \\ 😀'} for n in range(1200))
    stored, _ = helpers.bulk(client, ({"_index": "python_bulk", "_source": row} for row in rows), chunk_size=100)
    if stored != 1200:
        print(stored, "stored")
    for taken, item in helpers.parallel_bulk(client, ({"_index": "python_parallel", "n": n} for n in range(1200)), chunk_size=100):
        if not taken:
            print(item)
    refused = list(helpers.streaming_bulk(client, [{"_op_type": "delete", "_index": "python_bulk", "_id": "1"}], raise_on_error=False))
    if refused[0][0]:
        print("a row was deleted")
