// @rudderstack/rudder-sdk-node: HOST KEY NUMBER. It gives a batch up after three retries unless told otherwise.
const Analytics = require('@rudderstack/rudder-sdk-node');
const [host, writeKey, number] = process.argv.slice(2);
const client = new Analytics(writeKey, { dataPlaneUrl: host, flushAt: 3, flushInterval: 200, retryCount: 10, logLevel: 'error' });
(async () => {
  for (let n = 0; n < Number(number); n++) {
    client.track({ userId: 'rudder-1', event: 'Product Viewed', properties: { n, name: 'żółta skarpeta', price: 12.5, nothing: null } });
    await new Promise((resolve) => setTimeout(resolve, 120));
  }
})();
