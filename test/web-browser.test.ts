// The web page in a real browser, used as a person would: by mouse, by keyboard alone, on a phone, in the dark.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Incoming } from '../bot/chat/message.ts';
import { launchBrowser, noBrowser } from './support/browser.ts';
import { createFakeEngine, pixel } from './support/fake-engine.ts';
import { createScriptedTutor } from './support/scripted-tutor.ts';
import { createSmallGuide } from './support/small-guide.ts';
import { createWebHarness, type WebHarness } from './support/web-harness.ts';

const commands = ['help', 'quiz', 'finetune'].map((name) => ({ name, usage: name, summary: `what ${name} does` }));

describe.skipIf(noBrowser !== undefined)('the page in a browser', () => {
  let browser: Browser;
  let harness: WebHarness;
  let page: Page;
  let received: Incoming[];
  let complaints: string[];
  let charts: string[];

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  beforeEach(async () => {
    const engine = createFakeEngine();
    // Two pictures that differ in a byte after the end of the image, so that an edit changes the address.
    charts = [(await engine.pictures.put(pixel)).id, (await engine.pictures.put(Buffer.concat([pixel, pixel]))).id];
    harness = await createWebHarness(engine, { commands, guide: createSmallGuide() });
    const tutor = createScriptedTutor({ front: () => harness.front, charts });
    received = tutor.received;
    await harness.start(tutor.handle);
    complaints = [];
    page = await open();
  });
  afterEach(async () => {
    await page.context().close();
    await harness.stop();
    expect(complaints).toEqual([]);
  });

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
    const opened = await context.newPage();
    opened.on('pageerror', (error) => complaints.push(String(error)));
    opened.on('console', (message) => {
      // A connection that was cut on purpose is reported by the browser itself.
      if (message.type() === 'error' && !/ERR_(CONNECTION|INCOMPLETE|EMPTY|NETWORK)/.test(message.text()))
        complaints.push(message.text());
    });
    await opened.goto(harness.address());
    return opened;
  }
  const log = () => page.getByRole('log');
  async function write(words: string) {
    await page.getByLabel('Your message').fill(words);
    await page.keyboard.press('Enter');
  }
  const waitFor = (words: string) => log().getByText(words).last().waitFor();

  const focused = (property: string) => page.evaluate(`document.activeElement?.${property}`);

  async function seriousProblems() {
    await page.evaluate(axe.source);
    const found = await page.evaluate('axe.run().then((result) => JSON.stringify(result.violations))');
    return z
      .array(z.object({ id: z.string(), impact: z.string().nullish(), nodes: z.array(z.object({ html: z.string() })) }))
      .parse(JSON.parse(String(found)))
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`);
  }

  it('sends a message and shows the answer with links into the guide', async () => {
    await write('Why does my model overfit?');
    await waitFor('Stop earlier');
    expect(received).toMatchObject([{ kind: 'message', text: 'Why does my model overfit?' }]);
    const source = page.getByRole('link', { name: /Overfitting and underfitting › What they are/ });
    expect(await source.getAttribute('href')).toBe('/guide/overfitting-underfitting#definition');
    await expect.poll(() => page.getByText('Working…').isVisible()).toBe(false);
    expect(await page.getByText('What shall we learn today?').isVisible()).toBe(false);
  });

  it('offers four things to try', async () => {
    await page.getByRole('button', { name: 'Take a quiz' }).click();
    await waitFor('Question 2 of 5');
    expect(received).toMatchObject([{ kind: 'action', call: { command: 'quiz', args: {} } }]);
  });

  it('edits a quiz question in place when a choice is pressed', async () => {
    await write('/quiz');
    await waitFor('Question 2 of 5');
    await page.getByRole('button', { name: 'both high and flat' }).click();
    await waitFor('Not quite.');
    expect(await log().getByRole('article', { name: 'Finetutor' }).count()).toBe(1);
    expect(await page.getByRole('button', { name: 'Training loss falls' }).isDisabled()).toBe(true);
  });

  it('shows fields when they apply, explains what is wrong, and sends the form with its file', async () => {
    await write('/finetune');
    await page.getByRole('button', { name: 'Start training' }).waitFor();
    expect(await focused('value')).toBe('sample:reviews');
    expect(await page.getByLabel('Your file').isVisible()).toBe(false);
    await page.getByLabel('My own file').check();
    await page.getByLabel('Full').check();
    expect(await page.getByLabel('LoRA rank').isVisible()).toBe(false);
    await page.getByLabel('Epochs').fill('-1');
    await page.getByRole('button', { name: 'Start training' }).click();
    await page.getByText('Choose a file.').waitFor();
    await page.getByText('-1 is out of range: from 1 to 100.').waitFor();
    expect(received).toHaveLength(1);

    const file = join(harness.dataDir, 'mine & yours.csv');
    await writeFile(file, 'text,label\nfine,good\n');
    await page.getByLabel('Your file').setInputFiles(file);
    await page.getByLabel('Epochs').fill('2');
    await page.getByRole('button', { name: 'Start training' }).click();
    await waitFor('mine & yours.csv (21 bytes)');
    expect(received[1]).toMatchObject({
      kind: 'form',
      call: { command: 'finetune' },
      values: { data: 'upload', method: 'full', epochs: '2', file: { name: 'mine & yours.csv', bytes: 21 } },
    });
    expect(received[1]).not.toHaveProperty('values.loraRank');
  });

  it('refuses a file that is too large before it is sent', async () => {
    await page.evaluate(`{
      const files = new DataTransfer();
      files.items.add(new File([new Uint8Array(201 * 1024 * 1024)], 'huge.csv'));
      const input = document.querySelector('#attach-input');
      input.files = files.files;
      input.dispatchEvent(new Event('change'));
    }`);
    await page.getByText('“huge.csv” is larger than').waitFor();
    expect(await page.getByText('huge.csv').count()).toBe(1);
  });

  it('takes a file with a message', async () => {
    await page
      .locator('#attach-input')
      .setInputFiles({ name: 'a.csv', mimeType: 'text/csv', buffer: Buffer.from('x') });
    await page.getByRole('button', { name: 'Remove a.csv' }).waitFor();
    await write('train on this');
    await waitFor('a.csv');
    await expect.poll(() => received.length).toBe(1);
    expect(received[0]).toMatchObject({ attachments: [{ name: 'a.csv', bytes: 1 }] });
  });

  it('keeps the old picture until the new one has loaded, and the focus where it was', async () => {
    await write('/run');
    await page.getByRole('progressbar').waitFor();
    expect(await page.getByRole('progressbar').getAttribute('value')).toBe('39');
    const before = await page.locator('.picture img').evaluateHandle((image) => image);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route(`**/pictures/${charts[1]}.png`, async (route) => {
      await held;
      await route.continue();
    });
    const me = { id: 'anybody', name: 'x' };
    const conversationId = received[0]?.place.conversationId ?? '';
    await page.getByRole('button', { name: 'Stop' }).focus();
    const card = createScriptedTutor({ front: () => harness.front, charts });
    const [first] = received;
    if (first === undefined) throw new Error('nothing was received');
    await card.handle({ ...first, person: me, kind: 'action', call: { command: 'run', args: { step: 61 } } });
    await page.getByText('step 61 of 102').waitFor();
    expect(conversationId).not.toBe('');
    const image = page.locator('.picture img');
    expect(await image.getAttribute('src')).toContain(charts[0]);
    expect(await image.evaluate((now, old) => now === old, before)).toBe(true);
    release();
    await expect.poll(() => image.getAttribute('src')).toContain(charts[1]);
    expect(await focused('textContent')).toBe('Stop');
  });

  it('shows the same conversation after a reload and after a restart', async () => {
    await write('Why does my model overfit?');
    await waitFor('Stop earlier');
    await page.reload();
    await waitFor('Stop earlier');
    expect(await log().getByRole('article').count()).toBe(2);
    await harness.restart();
    await page.reload();
    await waitFor('Stop earlier');
  });

  it('says that the connection is lost, comes back by itself and catches up', async () => {
    await write('first');
    await waitFor('Stop earlier');
    const [first] = received;
    if (first === undefined) throw new Error('nothing was received');
    await harness.front.stop();
    await page.getByText('Connection lost').waitFor();
    await page.getByLabel('Your message').fill('sent while it was away');
    await page.keyboard.press('Enter');
    await harness.restart();
    await page.getByText('Connected again').waitFor();
    await expect.poll(() => received.length, { timeout: 10_000 }).toBe(2);
    expect(received[1]).toMatchObject({ text: 'sent while it was away' });
    await expect.poll(() => log().getByRole('article').count()).toBe(4);
  });

  it('can be used by keyboard alone', async () => {
    const press = (key: string) => page.keyboard.press(key);
    await page.getByRole('link', { name: 'Finetutor' }).focus();
    await press('Shift+Tab');
    expect(await focused('textContent')).toBe('Skip to the conversation');
    await press('Enter');
    await press('Tab');
    expect(await focused('textContent')).toContain('Ask a question');
    await page.getByLabel('Your message').focus();
    await page.keyboard.type('/qu');
    await page.getByRole('option', { name: 'quiz' }).waitFor();
    await press('Escape');
    expect(await page.getByRole('option').count()).toBe(0);
    await page.keyboard.type('i');
    await press('Tab');
    expect(await page.getByLabel('Your message').inputValue()).toBe('/quiz ');
    await press('Shift+Enter');
    await page.keyboard.type('please');
    expect(await page.getByLabel('Your message').inputValue()).toBe('/quiz \nplease');
    await press('Enter');
    await waitFor('Question 2 of 5');
    await press('Shift+Tab');
    await press('Shift+Tab');
    expect(await focused('textContent')).toBe('Training and held-out loss fall together');
    await press('Shift+Tab');
    await press('Enter');
    await waitFor('Not quite.');
    await write('/finetune');
    await page.getByRole('button', { name: 'Start training' }).waitFor();
    await press('ArrowDown');
    expect(await page.getByLabel('My own file').isChecked()).toBe(true);
    await press('Tab');
    expect(await focused('name')).toBe('file');
    await press('Tab');
    await press('ArrowDown');
    expect(await page.getByLabel('Full').isChecked()).toBe(true);
  });

  it('shows its shape to a screen reader', async () => {
    await write('/run');
    await page.getByRole('progressbar', { name: 'Epoch 2 of 3' }).waitFor();
    expect(await log().getAttribute('aria-live')).toBe('polite');
    await page.getByRole('table', { name: 'On the held-out examples' }).waitFor();
    await page.getByRole('img', { name: /Training loss falls/ }).waitFor();
    await page.getByRole('article', { name: 'You' }).waitFor();
    await page.getByRole('navigation', { name: 'Site' }).waitFor();
  });

  it.each(['light', 'dark'] as const)('has no serious accessibility problem in %s colours', async (colorScheme) => {
    await page.context().close();
    page = await open({ colorScheme });
    expect(await seriousProblems()).toEqual([]);
    await write('Why?');
    await waitFor('Stop earlier');
    await write('/quiz');
    await page.getByRole('button', { name: 'both high and flat' }).click();
    await waitFor('Not quite.');
    await write('/finetune');
    await page.getByRole('button', { name: 'Start training' }).click();
    await write('/run');
    await page.getByRole('progressbar').waitFor();
    await page.getByLabel('Your message').fill('/');
    expect(await seriousProblems()).toEqual([]);
  });

  it.each([320, 360])('fits %i pixels without scrolling sideways', async (width) => {
    await page.setViewportSize({ width, height: 640 });
    const sideways = () => page.evaluate('document.documentElement.scrollWidth - innerWidth');
    expect(await sideways()).toBe(0);
    for (const words of ['Why?', '/quiz', '/finetune', '/run', `https://example.org/${'long'.repeat(60)}`]) {
      await write(words);
      await expect.poll(() => page.getByText('Working…').isVisible()).toBe(false);
    }
    await page.getByLabel('My own file').check();
    expect(await sideways()).toBe(0);
    await page.goto(`${harness.address()}/guide`);
    expect(await sideways()).toBe(0);
  });

  it('follows the system into the dark, and keeps what the person chose instead', async () => {
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const light = await ground();
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.getByRole('button', { name: 'Switch to light colours' }).click();
    expect(await ground()).toBe(light);
    await page.reload();
    expect(await ground()).toBe(light);
    await page.getByRole('button', { name: 'Switch to dark colours' }).waitFor();
  });

  it('begins a new chat and finds the earlier one again', async () => {
    await write('an old question');
    await waitFor('Stop earlier');
    await page.getByRole('button', { name: 'New chat' }).click();
    await page.getByText('What shall we learn today?').waitFor();
    await page.getByLabel('Earlier chats').click();
    await page.getByRole('link', { name: 'an old question' }).click();
    await waitFor('Stop earlier');
  });

  it('shows what a person wrote as it was written', async () => {
    const nasty = '<img src=x onerror="document.title=1"> **bold** <script>document.title=2</script>';
    await write(nasty);
    await waitFor('Stop earlier');
    await page.reload();
    expect(await log().getByRole('article', { name: 'You' }).textContent()).toBe(nasty);
    expect(await page.title()).toBe('Finetutor');
  });

  it('does not scroll away from what a person reads', async () => {
    await page.setViewportSize({ width: 800, height: 500 });
    for (const words of ['one', 'two', 'three']) {
      await write(words);
      await expect.poll(() => received.length).toBeGreaterThan(0);
      await expect.poll(() => page.getByText('Working…').isVisible()).toBe(false);
    }
    await page.mouse.move(400, 200);
    await page.mouse.wheel(0, -600);
    await expect.poll(() => page.evaluate('scrollY')).toBeLessThan(800);
    const before = await page.evaluate('scrollY');
    const [first] = received;
    if (first === undefined) throw new Error('nothing was received');
    await harness.front.deliver(
      first.place,
      { audience: 'everyone', blocks: [{ kind: 'text', markdown: 'news' }] },
      first.person,
    );
    await page.getByRole('button', { name: 'Latest' }).waitFor();
    expect(await page.evaluate('scrollY')).toBe(before);
    await page.getByRole('button', { name: 'Latest' }).click();
    await expect.poll(() => page.getByRole('button', { name: 'Latest' }).isVisible()).toBe(false);
  });
});
