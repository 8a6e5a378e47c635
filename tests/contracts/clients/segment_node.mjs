// @segment/analytics-node: HOST KEY NUMBER
import { Analytics } from '@segment/analytics-node';
const [host, writeKey, number] = process.argv.slice(2);
const analytics = new Analytics({ host, writeKey, flushAt: 3, flushInterval: 200, maxRetries: 10 });
analytics.on('error', (error) => console.error(error.code, error.reason ?? ''));
for (let n = 0; n < Number(number); n++) {
  analytics.track({ userId: 'node-1', event: 'Product Viewed', properties: { n, name: 'żółta skarpeta', price: 12.5, nothing: null } });
  await new Promise((resolve) => setTimeout(resolve, 120));
}
await analytics.closeAndFlush({ timeout: 45000 });
