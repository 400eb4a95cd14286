// Looks at the console as a person would, at desktop and phone width. Arguments: root address, topic, group, folder for pictures.
const { chromium } = require('playwright-core');

const [root, topic, group, pictures] = process.argv.slice(2);
const fail = (what) => { throw new Error(what); };

async function look(browser, width, height, name) {
  const page = await browser.newPage({ viewport: { width, height } });
  const complaints = [];
  page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('response', (response) => { if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`); });

  await page.goto(root + '/');
  await page.getByRole('heading', { level: 1 }).getByText('Broker').waitFor();
  await page.locator('.state.serving').first().waitFor();
  await page.locator('.sub code').first().waitFor();
  const row = page.locator('#topicList\\:topics tbody tr', { hasText: topic });
  await row.waitFor();
  const cells = (await row.locator('td').allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim());
  if (!cells[1].endsWith('3')) fail(`partitions of ${topic}: ${cells}`);
  if (!/[1-9]/.test(cells[2])) fail(`records of ${topic}: ${cells}`);
  if (!/[1-9].*B$/.test(cells[3])) fail(`size of ${topic}: ${cells}`);
  const groupRow = page.locator('#groupList\\:groups tbody tr', { hasText: group });
  await groupRow.waitFor();
  const groupCells = (await groupRow.locator('td').allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim());
  if (!/Stable|Empty/.test(groupCells[2])) fail(`state of ${group}: ${groupCells}`);
  if (!/\d$/.test(groupCells[5])) fail(`lag of ${group}: ${groupCells}`);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (overflow > 0) fail(`the page is ${overflow} px wider than a window of ${width}`);
  await page.screenshot({ path: `${pictures}/overview-${name}.png`, fullPage: true });

  await page.getByRole('link', { name: 'Topics', exact: true }).click();
  await page.getByRole('link', { name: topic, exact: true }).click();
  await page.getByRole('heading', { name: topic }).waitFor();
  if (await page.locator('#detail\\:partitions tbody tr').count() !== 3) fail('three partitions on the topic page');
  await page.screenshot({ path: `${pictures}/topic-${name}.png`, fullPage: true });

  await page.getByRole('link', { name: 'Groups', exact: true }).click();
  await page.getByRole('link', { name: group, exact: true }).click();
  await page.getByRole('heading', { name: group }).waitFor();
  if (await page.locator('#detail\\:offsets tbody tr').count() !== 3) fail('three offsets on the group page');
  await page.screenshot({ path: `${pictures}/group-${name}.png`, fullPage: true });

  await page.goto(`${root}/topic.xhtml?name=no-such-topic`);
  await page.getByRole('heading', { name: 'No such topic' }).waitFor();
  if (complaints.length) fail(complaints.join('\n'));
  await page.close();
}

(async () => {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
  await look(browser, 1280, 900, 'desktop');
  await look(browser, 390, 844, 'phone');
  await browser.close();
  console.log('ok');
})().catch((error) => { console.error(error); process.exit(1); });
