// Runs before the first paint, so that a chosen colour scheme never flashes the other one first.
import { applyScheme, chosenScheme } from './scheme.ts';

applyScheme(chosenScheme());
