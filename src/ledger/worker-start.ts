// Where the ledger's thread begins. Each thread has to turn the cache of compiled code on for itself, before the code is loaded.
import { enableCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';
import type { ThreadStart } from './thread.ts';

const { compileCache } = workerData as ThreadStart;
if (compileCache !== undefined) enableCompileCache(compileCache);
// A failure to load it is the thread's `error`.
void import('./worker.ts');
