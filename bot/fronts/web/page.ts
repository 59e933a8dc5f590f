// The page around a conversation: head, header, welcome, composer. All of it works before the script has loaded its first byte.
import { html, raw } from 'hono/html';
import type { Assets } from './assets.ts';
import { icons, type Markup } from './render.ts';
import type { PageData } from './wire.ts';

export interface ShellOptions {
  readonly title: string;
  readonly assets: Assets;
  readonly here: 'chat' | 'guide';
  readonly body: Markup;
  readonly data?: PageData;
}

/** JSON inside a script element: only `<` could end it early. */
const embed = (data: PageData) => raw(JSON.stringify(data).replaceAll('<', '\\u003c'));

export function renderShell({ title, assets, here, body, data }: ShellOptions): string {
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="A tutor for machine learning that also fine-tunes models.">
<title>${title}</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${assets.hrefs['style.css']}">
<script src="${assets.hrefs['theme.ts']}"></script>
<script type="module" src="${assets.hrefs['main.ts']}"></script>
</head>
<body class="${here}">
<a class="skip" href="#main">Skip to the ${here === 'chat' ? 'conversation' : 'text'}</a>
<header class="bar"><div class="bar-inner">
<a class="brand" href="/">${raw(logo)}<span>Finetutor</span></a>
<nav aria-label="Site">
<a class="tool" href="/guide"${here === 'guide' ? raw(' aria-current="page"') : ''}>${icons.guide}<span>Guide</span></a>
${
  here === 'chat'
    ? html`<details class="menu" id="chats" hidden><summary class="tool" aria-label="Earlier chats">${icons.chats}<span>Chats</span></summary><ul></ul></details>
<button type="button" class="tool" id="new-chat" aria-label="New chat">${icons.plus}<span>New chat</span></button>`
    : html`<a class="tool" href="/">${icons.question}<span>Chat</span></a>`
}
<button type="button" class="tool theme" id="theme" aria-label="Switch to dark colours"><span class="when-light">${icons.moon}</span><span class="when-dark">${icons.sun}</span></button>
</nav></div></header>
${body}
${data === undefined ? '' : html`<script type="application/json" id="page-data">${embed(data)}</script>`}
</body>
</html>`);
}

const invitations = [
  {
    icon: icons.question,
    title: 'Ask a question',
    detail: 'Why does my model overfit?',
    send: 'Why does my model overfit?',
  },
  { icon: icons.quiz, title: 'Take a quiz', detail: 'Short questions, with the reasons', command: 'quiz' },
  { icon: icons.tune, title: 'Fine-tune on a sample', detail: 'Watch the loss fall, right here', command: 'finetune' },
] as const;

export function renderChat(messages: string): Markup {
  return html`<main id="main" tabindex="-1">
<h1 class="visually-hidden">Conversation with Finetutor</h1>
<section class="welcome" id="welcome"${messages === '' ? '' : raw(' hidden')} aria-labelledby="welcome-title">
<h2 id="welcome-title">What shall we learn today?</h2>
<p>Ask about machine learning, test yourself, or train a model on your own file. Answers come from the guide and say where.</p>
<ul class="invitations">${invitations.map(
    (one) =>
      html`<li><button type="button" class="invitation" ${'send' in one ? html`data-send="${one.send}"` : html`data-call="${JSON.stringify({ command: one.command, args: {} })}"`}>${one.icon}<span><strong>${one.title}</strong><span>${one.detail}</span></span></button></li>`,
  )}<li><a class="invitation" href="/guide">${icons.guide}<span><strong>Browse the guide</strong><span>Chapters with worked examples</span></span></a></li></ul>
</section>
<div class="log" id="log" role="log" aria-live="polite" aria-relevant="additions" aria-label="Conversation">${raw(messages)}</div>
<p class="working" id="working" role="status" hidden><span class="dots" aria-hidden="true"><i></i><i></i><i></i></span> Working…</p>
</main>
<div class="dock">
<button type="button" class="to-latest" id="to-latest" hidden>${icons.down} Latest</button>
<p class="notice" id="notice" role="status" hidden></p>
<form class="composer" id="composer" aria-label="Write to Finetutor">
<ul class="suggestions" id="suggestions" role="listbox" aria-label="Commands" hidden></ul>
<p class="visually-hidden" id="suggestions-status" role="status"></p>
<ul class="attachments" id="attachments" aria-label="Attached files" hidden></ul>
<div class="composer-row">
<button type="button" class="round" id="attach" aria-label="Attach a file">${icons.attach}</button>
<input type="file" id="attach-input" multiple hidden tabindex="-1" aria-label="Files to attach">
<label class="visually-hidden" for="text">Your message</label>
<textarea id="text" rows="1" placeholder="Ask anything, or type /" aria-autocomplete="list" aria-controls="suggestions" aria-describedby="composer-help" autocomplete="off" enterkeyhint="send"></textarea>
<button type="submit" class="round send" aria-label="Send">${icons.send}</button>
</div>
<p class="visually-hidden" id="composer-help">Enter sends. Shift and Enter begins a new line.</p>
</form></div>`;
}

/** For a visit that came from another site, whose cookies the browser holds back: ask again, as ourselves. */
export const comeAgain = String(html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0"><title>Finetutor</title></head>
<body><p>One moment…</p></body></html>`);

const curve = 'M7.5 8.5v12a3 3 0 0 0 3 3h14M11.5 12c4 0 4 6 12.5 6';
const logo = `<svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true"><rect class="logo-ground" width="32" height="32" rx="9"/><path class="logo-line" d="${curve}" fill="none" stroke-width="2.4" stroke-linecap="round"/><circle class="logo-dot" cx="22" cy="11" r="2.5"/></svg>`;

export const iconSvg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" fill="#0f6a5f"/><path d="${curve}" fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round"/><circle cx="22" cy="11" r="2.5" fill="#f3b664"/></svg>`;
