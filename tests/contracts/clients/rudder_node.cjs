// @rudderstack/rudder-sdk-node: HOST KEY NUMBER. It gives a batch up after three retries unless told otherwise.
const Analytics = require('@rudderstack/rudder-sdk-node');
const [host, writeKey, number] = process.argv.slice(2);
const client = new Analytics(writeKey, { dataPlaneUrl: host, flushAt: 2, flushInterval: 200, retryCount: 10, logLevel: 'error' });
(async () => {
  client.identify({ userId: 'rudder-1', traits: { n: 0, name: 'Żaneta' } });
  client.page({ userId: 'rudder-1', category: 'Socks', name: 'Product', properties: { n: 1 } });
  client.group({ userId: 'rudder-1', groupId: 'group-1', traits: { n: 2, plan: 'wełna' } });
  for (let n = 3; n < Number(number); n++) {
    client.track({ userId: 'rudder-1', event: 'Product Viewed', properties: { n, name: 'żółta skarpeta', price: 12.5, nothing: null } });
    await new Promise((resolve) => setTimeout(resolve, 120));
  }
})();
