"""What is recorded of a session with a server: python3 record.py ADDRESS."""
import sys

import pymongo
from pymongo.errors import PyMongoError

client = pymongo.MongoClient("mongodb://" + sys.argv[1], heartbeatFrequencyMS=600000, maxPoolSize=1)
db = client.shop


def attempt(f, *args, **kwargs):
    """Whatever the server says is part of the recording."""
    try:
        result = f(*args, **kwargs)
        return list(result) if hasattr(result, "__next__") or hasattr(result, "alive") else result
    except PyMongoError:
        return None


attempt(db.drop_collection, "orders")
attempt(db.orders.insert_one, {"_id": 1, "name": "secret", "total": 10})
attempt(db.orders.insert_many, [{"_id": n, "name": "secret", "total": n} for n in range(2, 300)])
attempt(db.orders.insert_one, {"_id": 1, "name": "secret"})
attempt(db.orders.find_one, {"_id": 7})
attempt(db.orders.find, {"total": {"$gt": 100}, "name": "secret"}, batch_size=50)
attempt(db.orders.find, {"_id": {"$in": list(range(200))}}, {"name": 1}, sort=[("total", -1)])
attempt(db.orders.update_one, {"_id": 7}, {"$set": {"name": "secret"}})
attempt(db.orders.update_many, {"total": {"$lt": 50}}, {"$inc": {"total": 1}})
attempt(db.orders.delete_one, {"_id": 9})
attempt(db.orders.count_documents, {"total": {"$gt": 10}})
attempt(db.orders.aggregate, [{"$match": {"name": "secret"}}, {"$group": {"_id": "$name", "n": {"$sum": "$total"}}}])
attempt(db.orders.distinct, "name", {"total": {"$gt": 10}})
attempt(db.orders.find_one_and_update, {"_id": 8}, {"$set": {"name": "secret"}})
attempt(db.orders.find, {"$nonsense": "secret"})
attempt(db.orders.create_index, "total")
attempt(db.command, "nonsense", "secret")
attempt(db.orders.insert_one, {"_id": 1000, "text": "secret" * 20000})
attempt(db.orders.find, {"_id": 1000})
fast = db.orders.with_options(write_concern=pymongo.WriteConcern(w=0))
attempt(fast.insert_many, [{"_id": 2000 + n} for n in range(5)])
attempt(client.admin.command, "ping")
