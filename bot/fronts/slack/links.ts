// Which addresses may become links: web pages other people can open.

export function isWebLink(url: string): boolean {
  return url.length <= 3000 && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/** Whether an address means this computer only: of no use to somebody in Slack. */
export function isLocal(url: string): boolean {
  return !URL.canParse(url) || /^(localhost|127\.|0\.0\.0\.0|\[::1\])/.test(new URL(url).hostname);
}
