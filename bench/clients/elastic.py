"""Usage: python elastic.py URL

Sends with Elastic's own client by its helpers for bulk requests: in parts, compressed, and from several threads; and a document at a time. What is
refused is to be told in words.
"""

import sys

from elasticsearch import ApiError, Elasticsearch, helpers

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
    one = client.index(index="python_docs", id="a", document={"@timestamp": "2026-03-01T09:00:00Z", "n": 1}, refresh=True)
    if one["_id"] != "a" or one["result"] != "created":
        print(one)
    client.create(index="python_docs", id="b", document={"n": 2})
    if not client.index(index="python_docs", document={"n": 3})["_id"]:
        print("a document without an id")
    if not client.indices.exists(index="python_docs") or client.indices.exists(index="none"):
        print("existence")
    for refused, want in [
        (lambda: client.search(index="python_docs"), "queries are SQL"),
        (lambda: client.indices.create(index="other"), "a stream is made by its first rows"),
        (lambda: client.index(index="python_docs", document={"_offset": 1}), "has the name of a hidden column"),
    ]:
        try:
            print("it was answered", refused())
        except ApiError as error:
            if want not in str(error):
                print(error)
