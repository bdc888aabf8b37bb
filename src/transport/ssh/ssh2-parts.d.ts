// Internal files of ssh2, imported directly; their types are those of its index.
declare module 'ssh2/lib/agent.js' {
  import type ssh2 from 'ssh2';
  const agents: Pick<typeof ssh2, 'BaseAgent' | 'createAgent'>;
  export default agents;
}

declare module 'ssh2/lib/client.js' {
  import type { Client } from 'ssh2';
  const client: typeof Client;
  export default client;
}

declare module 'ssh2/lib/protocol/keyParser.js' {
  import type ssh2 from 'ssh2';
  const keys: Pick<typeof ssh2.utils, 'parseKey'>;
  export default keys;
}
