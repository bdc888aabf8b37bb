// Loaded before fettle: a ledger that is written but never synced, which the proof must notice.
import Database from 'better-sqlite3';

const pragma: Database.Database['pragma'] = Reflect.get(Database.prototype, 'pragma');

Database.prototype.pragma = function (this: Database.Database, source, options) {
  return pragma.call(this, source === 'synchronous = FULL' ? 'synchronous = OFF' : source, options);
};
