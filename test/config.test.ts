import { readFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { parse } from 'dotenv';
import { describe, expect, it } from 'vitest';
import { describeSettings, readConfig, secretsOf } from '../bot/config.ts';
import { createLog } from '../bot/log.ts';
import { settingNames, settings } from '../bot/settings.ts';
import { UserError } from '../engine/index.ts';

function refusal(environment: { [name: string]: string }): string {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof UserError) return `${error.message} ${error.hint}`;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('settings', () => {
  it('have defaults that need nothing to be set, and an empty value is the default', () => {
    const standard = readConfig({});
    expect(standard).toMatchObject({ port: 3000, device: 'auto', logLevel: 'info', databaseUrl: undefined });
    expect(standard.dataDir).toMatch(/\/data$/);
    expect(readConfig({ PORT: '', DATABASE_URL: '  ', DEVICE: '' })).toEqual(standard);
  });

  it('are refused all at once, each with its name, its value and what is allowed', () => {
    const said = refusal({
      PORT: '99999',
      DEVICE: 'tpu',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://u:sesame-open@h/x',
    });
    expect(said).toContain('PORT is "99999": it must be a whole number from 0 to 65535');
    expect(said).toContain('DEVICE is "tpu": it must be one of auto, cpu, webgpu, cuda');
    expect(said).toContain('LOG_LEVEL is "loud"');
    expect(said).toContain('DATABASE_URL is (25 characters, ending in “/x”)');
    expect(said).not.toContain('sesame');
  });

  it.each(['-1', '3.5', '0x50', '3000x', '1e3'])('refuse the port %s', (port) => {
    expect(refusal({ PORT: port })).toContain(`PORT is "${port}"`);
  });

  it('show at most the length and the last two characters of any secret, right or wrong', () => {
    for (const name of settingNames.filter((candidate) => settings[candidate].secret)) {
      const secret = 'wrong secret K7q9-never-shown';
      expect(refusal({ [name]: secret })).not.toContain('K7q9');
      expect(JSON.stringify(describeSettings({ [name]: secret }))).not.toContain('K7q9');
    }
    expect(refusal({ HF_TOKEN: 'short' })).not.toMatch(/rt”/);
  });

  it('are all in .env.example, with their defaults and their meaning', async () => {
    const example = await readFile('.env.example', 'utf8');
    expect(Object.keys(parse(example))).toEqual(settingNames);
    for (const name of settingNames) {
      expect(parse(example)[name]).toBe(settings[name].standard);
      expect(example).toContain(`# ${settings[name].meaning}\n${name}=`);
    }
  });
});

describe('the log', () => {
  it('leaves secrets out, even inside an error', () => {
    const stream = new PassThrough();
    const environment = { HF_TOKEN: 'hf_K7q9"never', DATABASE_URL: 'postgres://u:pw@h/n' };
    const log = createLog({ level: 'info', secrets: secretsOf(environment), stream });
    log.error({ err: new Error(`refused: ${environment.HF_TOKEN}`), url: environment.DATABASE_URL }, 'broke');
    const written = String(stream.read());
    expect(JSON.parse(written)).toMatchObject({ msg: 'broke', url: '[secret]' });
    expect(written).not.toContain('K7q9');
  });

  it('is readable at a terminal', () => {
    const stream = Object.assign(new PassThrough(), { isTTY: true });
    createLog({ level: 'info', secrets: [], stream }).info({ port: 1 }, 'listening');
    expect(String(stream.read())).toMatch(/^\d\d:\d\d:\d\d info listening \{"port":1\}\n$/);
  });
});
