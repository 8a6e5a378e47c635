"""rudder-sdk-python: HOST KEY NUMBER."""

import sys
import time

from rudderstack.analytics.client import Client

host, key, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = Client(key, host=host, upload_size=2, upload_interval=0.2, max_retries=10)
client.identify("rudder-python-1", {"n": 0, "name": "Żaneta"})
client.page("rudder-python-1", "Socks", "Product", {"n": 1})
client.group("rudder-python-1", "group-1", {"n": 2, "plan": "wełna"})
for n in range(3, number):
    client.track("rudder-python-1", "Product Viewed", {"n": n, "name": "żółta skarpeta", "price": 12.5, "nothing": None})
    time.sleep(0.12)
client.shutdown()
