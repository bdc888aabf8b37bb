// The fields of an update in plans and events.
import { z } from 'zod';

const text = z.string();
const name = z.string().min(1);

export const packageIdFields = {
  manager: name,
  name,
  arch: text.describe('Empty where the package manager knows none.'),
  slot: name.exactOptional().describe('The version, of packages that are installed beside others of their name.'),
};

const advisory = z.strictObject({
  id: name,
  kind: z.enum(['security', 'bugfix', 'enhancement', 'other']),
  issuedMs: z.number().exactOptional().describe('Milliseconds since 1970-01-01 UTC.'),
  url: text.exactOptional(),
});

export const updateDetailFields = {
  title: name.exactOptional(),
  source: name.exactOptional(),
  sourceVersion: name.exactOptional(),
  severity: z.enum(['critical', 'important', 'moderate', 'low']).exactOptional(),
  vendorSeverity: name.exactOptional().describe("The publisher's own word."),
  advisories: z.array(advisory).exactOptional(),
  cves: z.array(name).exactOptional(),
  classification: name.exactOptional(),
  sizeBytes: z.number().exactOptional(),
};
