// @segment/analytics-node: HOST KEY NUMBER
import { Analytics } from '@segment/analytics-node';
const [host, writeKey, number] = process.argv.slice(2);
const analytics = new Analytics({ host, writeKey, flushAt: 2, flushInterval: 200, maxRetries: 10 });
analytics.on('error', (error) => console.error(error.code, error.reason ?? ''));
analytics.identify({ userId: 'node-1', traits: { n: 0, name: 'Żaneta' } });
analytics.page({ userId: 'node-1', category: 'Socks', name: 'Product', properties: { n: 1 } });
analytics.group({ userId: 'node-1', groupId: 'group-1', traits: { n: 2, plan: 'wełna' } });
for (let n = 3; n < Number(number); n++) {
  analytics.track({ userId: 'node-1', event: 'Product Viewed', properties: { n, name: 'żółta skarpeta', price: 12.5, nothing: null } });
  await new Promise((resolve) => setTimeout(resolve, 120));
}
await analytics.closeAndFlush({ timeout: 45000 });
