#!/usr/bin/env node
// Lets `finetutor` run straight from its TypeScript sources: registers tsx, then hands over to the command line.
import { register } from 'tsx/esm/api';

register();
await import('../bot/cli.ts');
