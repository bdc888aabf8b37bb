import { join } from 'node:path';

/** The program that tests start: `npm test` builds one, which starts faster; a test alone runs the sources as they are. */
export const cli = process.env['FETTLE_TEST_CLI'] ?? join(import.meta.dirname, '../../src/cli.ts');
