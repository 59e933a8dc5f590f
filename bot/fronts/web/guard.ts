// Keeps other sites out of a page that listens on this computer: Host and Origin checks, and the browser's own fences.
import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import type { Refusal } from './wire.ts';

/**
 * A foreign Host means another name was pointed at this computer (DNS rebinding); a foreign Origin means another site's
 * page is writing (CSRF). Both are refused before anything is read.
 */
export function refuseForeigners(host: string): MiddlewareHandler {
  const names = new Set(['127.0.0.1', 'localhost', '[::1]', host]);
  return async (context, next) => {
    const named = context.req.header('host') ?? '';
    if (!names.has(named.replace(/:\d+$/, '')))
      return context.json<Refusal>(
        {
          message: `This page does not answer to the name "${named}".`,
          hint: 'Open it by the address printed at start.',
        },
        421,
      );
    if (context.req.method !== 'GET' && context.req.method !== 'HEAD') {
      const origin = context.req.header('origin');
      const site = context.req.header('sec-fetch-site');
      if ((origin !== undefined && origin !== `http://${named}`) || (site !== undefined && site !== 'same-origin'))
        return context.json<Refusal>(
          { message: 'Another site may not write here.', hint: "Use the chat's own page." },
          403,
        );
    }
    return next();
  };
}

export const fences: MiddlewareHandler = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    fontSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
  referrerPolicy: 'same-origin',
  xFrameOptions: 'DENY',
  strictTransportSecurity: false,
  crossOriginResourcePolicy: 'same-origin',
});
