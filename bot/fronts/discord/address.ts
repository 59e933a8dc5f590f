// Where Discord's API is: the real one, or another server that speaks the protocol.
import { UserError } from '../../../engine/index.ts';

const standard = 'https://discord.com/api';

/** @returns the address without a version: `http://host:1234`, `…/api` and `…/api/v10` all mean the same server. */
export function apiAddress(given: string | undefined): string {
  if (given === undefined || given === '') return standard;
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) {
    throw new UserError(`DISCORD_API_URL is ${given}: that is no address.`, `It looks like ${standard}.`);
  }
  const address = given.replace(/\/+$/, '').replace(/\/v\d+$/, '');
  return new URL(address).pathname === '/' ? `${address}/api` : address;
}
