// Follows a query in a headless browser, as a page of the server would: node eventsource.mjs URL QUERY.
// Prints a line of JSON for each event, and ends when its input does.
process.env.AWS_LAMBDA_JS_RUNTIME ??= 'nodejs22.x'; // the package brings the libraries that Chromium needs for this environment only
const { default: chromium } = await import('@sparticuz/chromium');
const { chromium: playwright } = await import('playwright-core');

const [url, query] = process.argv.slice(2);
const browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: chromium.args, headless: true });
const page = await browser.newPage();
await page.exposeFunction('tell', (event) => console.log(JSON.stringify(event)));
await page.goto(`${url}/livez`); // any page of the same origin
await page.evaluate((query) => {
  const source = new EventSource(`/v1/subscribe?q=${encodeURIComponent(query)}`);
  source.addEventListener('batch', (e) => tell({ event: 'batch', id: e.lastEventId, rows: JSON.parse(e.data).rows }));
  source.addEventListener('reset', () => tell({ event: 'reset' }));
  source.addEventListener('open', () => tell({ event: 'open' }));
}, query);
process.stdin.on('end', async () => {
  await browser.close();
  process.exit(0);
}).resume();
