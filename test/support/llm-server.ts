// A server that speaks OpenAI's chat completions: it checks every request, does what the test says, and can fail in every way.
import { createServer, type ServerResponse } from 'node:http';
import { z } from 'zod';

/** What was asked, as the server read it. */
interface LlmRequest {
  readonly system: string;
  readonly question: string;
  readonly passages: readonly { readonly number: number; readonly title: string; readonly text: string }[];
  readonly authorization: string | undefined;
}

/** What it does with a request: words to stream, or a way to fail. */
export type LlmDeed =
  | { readonly kind: 'write'; readonly words: string }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'silent' }
  | { readonly kind: 'cut'; readonly words: string }
  | { readonly kind: 'raw'; readonly body: string };

const body = z.strictObject({
  model: z.literal('tiny-chat'),
  stream: z.literal(true),
  temperature: z.literal(0),
  max_tokens: z.number().int().min(1),
  messages: z.tuple([
    z.strictObject({ role: z.literal('system'), content: z.string().min(1) }),
    z.strictObject({ role: z.literal('user'), content: z.string().min(1) }),
  ]),
});
/** The question and the passages come as one JSON object: whatever is in them, they stay data. */
const data = z.strictObject({
  question: z.string(),
  passages: z.array(z.strictObject({ number: z.number().int(), title: z.string(), text: z.string() })),
});

export interface LlmServer {
  readonly baseUrl: string;
  readonly requests: LlmRequest[];
  /** What was wrong with requests. */
  readonly complaints: string[];
  do: (request: LlmRequest) => LlmDeed;
  /** Requests whose answer was taken back by the asker. */
  abandoned: number;
  close(): Promise<void>;
}

export async function startLlmServer(): Promise<LlmServer> {
  const server = createServer((request, response) => {
    if (request.url === '/v1/models') {
      response.end(JSON.stringify({ object: 'list', data: [{ id: 'tiny-chat', object: 'model' }] }));
      return;
    }
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    response.on('close', () => {
      if (!response.writableFinished) llm.abandoned += 1;
    });
    request.on('end', () => {
      const read = body.safeParse(request.url === '/v1/chat/completions' ? JSON.parse(text) : undefined);
      const given = read.success ? data.safeParse(JSON.parse(read.data.messages[1].content)) : undefined;
      if (!read.success || !given?.success) {
        llm.complaints.push(read.error?.message ?? given?.error?.message ?? 'no data');
        response.writeHead(400).end();
        return;
      }
      const { authorization } = request.headers;
      const asked: LlmRequest = { system: read.data.messages[0].content, ...given.data, authorization };
      llm.requests.push(asked);
      perform(llm.do(asked), response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const llm: LlmServer = {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests: [],
    complaints: [],
    do: () => ({ kind: 'status', status: 500 }),
    abandoned: 0,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return llm;
}

function perform(deed: LlmDeed, response: ServerResponse) {
  switch (deed.kind) {
    case 'status':
      response.writeHead(deed.status).end('{"error":{"message":"no"}}');
      return;
    case 'silent':
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': waiting\n\n');
      return;
    case 'raw':
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(deed.body);
      return;
    default: {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      // In pieces of seven characters, as tokens come: they end in the middle of words, marks and citations.
      for (const piece of deed.words.match(/[\s\S]{1,7}/g) ?? []) response.write(eventOf({ content: piece }, null));
      if (deed.kind === 'cut') response.destroy();
      else response.end(`${eventOf({}, 'stop')}data: [DONE]\n\n`);
    }
  }
}

const eventOf = (delta: object, finish_reason: string | null) =>
  `data: ${JSON.stringify({ object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
