// Markdown → HTML: what the guide needs is kept, and nothing live gets through from untrusted text.
import { expect, test } from 'vitest';
import { renderMarkdown } from '../knowledge/index.ts';

const render = (markdown: string) =>
  renderMarkdown(markdown, { linkTo: (chapter, section) => `/guide/${chapter}#${section}` });

test('tables, code with its language, lists and emphasis are kept', () => {
  expect(render('| a | b |\n|---|--:|\n| 1 | **2** |')).toMatch(
    /<table>[\s\S]*<td align="right"><strong>2<\/strong><\/td>/,
  );
  expect(render('```python\nx = 1 < 2\n```')).toContain('<code class="language-python">x = 1 &#x3C; 2');
});

test('links into the guide go where the page says', () => {
  expect(render('[LoRA](guide:peft#lora)')).toContain('<a href="/guide/peft#lora">LoRA</a>');
  expect(render('[PEFT](guide:peft)')).toContain('<a href="/guide/peft#overview">PEFT</a>');
});

test('links outward are http or https only and tell nothing of where the reader came from', () => {
  expect(render('[x](https://example.org/)')).toContain('rel="noopener noreferrer nofollow"');
  for (const address of [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'guide:../x',
  ]) {
    expect(render(`[x](${address})`)).not.toContain('href');
  }
});

test.each([
  '<script>alert(1)</script>',
  'a <img src=x onerror=alert(1)> b',
  '<a href="javascript:alert(1)">x</a>',
  '<iframe src="//evil.example"></iframe>',
  '<svg/onload=alert(1)>',
  '![x](https://evil.example/pixel.png)',
  '<style>body{display:none}</style>',
  '[x]: javascript:alert(1)\n\n[x]',
  '<!-- hidden --> shown',
  '<!--> <script>alert(1)</script> -->',
])('%s comes out without a live element or attribute', (markdown) => {
  const html = render(markdown);
  expect(html).not.toMatch(/<(?!\/?(?:p|br|a)\b)/);
  expect(html).not.toMatch(/<[^>]*\b(?:on\w+|src|style)\s*=/i);
  expect(html).not.toMatch(/<[^>]*href="(?!https?:|\/|#)/i);
});

test('raw HTML is shown as the characters it is', () => {
  expect(render('use <b> here')).toBe('<p>use &#x3C;b> here</p>');
});
