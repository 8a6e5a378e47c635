"""rudder-sdk-python: HOST KEY NUMBER."""

import sys
import time

from rudderstack.analytics.client import Client

host, key, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = Client(key, host=host, upload_size=3, upload_interval=0.2, max_retries=10)
for n in range(number):
    client.track("rudder-python-1", "Product Viewed", {"n": n, "name": "żółta skarpeta", "price": 12.5, "nothing": None})
    time.sleep(0.12)
client.shutdown()
