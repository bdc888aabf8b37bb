// The C interface of GSSAPI (RFC 2744) as MIT Kerberos has it, through koffi; loaded only when Kerberos is asked for.
import { FettleError } from '../../../domain/error.ts';

/** A pointer into the library; null is its `GSS_C_NO_…`. */
export type Handle = bigint | null;

/** `gss_buffer_desc`, also `gss_OID_desc`: own bytes on the way in, a pointer on the way out. */
export interface GssBytes {
  readonly length: number;
  readonly value: Buffer | Handle;
}

/** `gss_channel_bindings_struct` without addresses. */
export interface GssBindings {
  readonly initiatorType: number;
  readonly initiator: GssBytes;
  readonly acceptorType: number;
  readonly acceptor: GssBytes;
  readonly application: GssBytes;
}

/** A place for one result. */
export type Out<T> = [T];

/** Gives the major status. `async` runs on another thread and keeps its arguments alive until then. */
export interface GssCall<Arguments extends readonly unknown[]> {
  (...call: Arguments): number;
  async(...call: [...Arguments, (error: unknown, status: number) => void]): void;
}

type Minor = Out<number>;

export interface GssLibrary {
  readonly importName: GssCall<[Minor, text: GssBytes, type: GssBytes, name: Out<Handle>]>;
  readonly releaseName: GssCall<[Minor, name: Out<Handle>]>;
  /** The credential of a name from the ticket caches. */
  readonly acquire: GssCall<
    [Minor, name: Handle, lifetime: number, mechanisms: null, usage: number, credential: Out<Handle>, null, null]
  >;
  readonly acquireWithPassword: GssCall<
    [
      Minor,
      name: Handle,
      password: GssBytes,
      lifetime: number,
      mechanisms: null,
      usage: number,
      credential: Out<Handle>,
      null,
      null,
    ]
  >;
  readonly releaseCredential: GssCall<[Minor, credential: Out<Handle>]>;
  readonly initialise: GssCall<
    [
      Minor,
      credential: Handle,
      context: Out<Handle>,
      name: Handle,
      mechanism: GssBytes,
      flags: number,
      lifetime: number,
      bindings: GssBindings | null,
      input: GssBytes | null,
      mechanismUsed: null,
      output: GssBytes,
      flagsGranted: Out<number>,
      lifetimeGranted: null,
    ]
  >;
  readonly wrap: GssCall<
    [
      Minor,
      context: Handle,
      isConfidential: number,
      quality: number,
      input: GssBytes,
      state: Out<number>,
      output: GssBytes,
    ]
  >;
  readonly unwrap: GssCall<[Minor, context: Handle, input: GssBytes, output: GssBytes, state: Out<number>, null]>;
  readonly deleteContext: GssCall<[Minor, context: Out<Handle>, token: null]>;
  readonly displayStatus: GssCall<
    [Minor, status: number, kind: number, mechanism: GssBytes, more: Out<number>, text: GssBytes]
  >;
  /** Copies what a call has put out, and gives the library its memory back. */
  readonly take: (output: GssBytes) => Buffer;
}

const libraryName = 'libgssapi_krb5.so.2';

let loaded: Promise<GssLibrary> | undefined;

/** The library, loaded once. Throws `auth` when this machine lacks it or what calls it. */
export function loadGss(): Promise<GssLibrary> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<GssLibrary> {
  const koffi = await import('koffi').catch((cause: unknown) => {
    throw new FettleError('auth', 'Kerberos needs the npm package koffi, which is not installed', {
      hint: 'reinstall fettle with its optional packages, or use ntlm with a password',
      cause,
    });
  });
  try {
    return bind(koffi);
  } catch (cause) {
    throw new FettleError('auth', `kerberos needs ${libraryName}, which this machine does not have`, {
      hint: 'install MIT Kerberos (Debian and Ubuntu: libgssapi-krb5-2; Fedora: krb5-libs), or use ntlm with a password',
      cause,
    });
  }
}

/** Signatures of RFC 2744 appendix A, and `gss_acquire_cred_with_password` of gssapi_ext.h. */
function bind(koffi: typeof import('koffi')): GssLibrary {
  // The library talks to the KDC on these stacks; resolvers are known to want more than the 128 KiB of the default.
  koffi.config({ ...koffi.config(), async_stack_size: 524_288, max_async_calls: 4096 });
  const library = koffi.load(libraryName);
  defineStructs(koffi);
  const call = (name: string, rest: string): ReturnType<typeof library.func> =>
    library.func(`uint32_t ${name}(_Out_ uint32_t *minor, ${rest})`);
  const release = call('gss_release_buffer', '_Inout_ gss_buffer *buffer');
  const credentialTail = 'uint32_t time, void *mechs, int usage, _Out_ void **credential, void *actual, void *granted';
  return {
    importName: call('gss_import_name', 'gss_buffer *text, gss_oid *type, _Out_ void **name'),
    releaseName: call('gss_release_name', '_Inout_ void **name'),
    acquire: call('gss_acquire_cred', `void *name, ${credentialTail}`),
    acquireWithPassword: call('gss_acquire_cred_with_password', `void *name, gss_buffer *password, ${credentialTail}`),
    releaseCredential: call('gss_release_cred', '_Inout_ void **credential'),
    initialise: call(
      'gss_init_sec_context',
      'void *credential, _Inout_ void **context, void *name, gss_oid *mech, uint32_t flags, uint32_t time, ' +
        'gss_bindings *bindings, gss_buffer *input, void *used, _Out_ gss_buffer *output, _Out_ uint32_t *granted, void *left',
    ),
    wrap: call(
      'gss_wrap',
      'void *context, int confidential, uint32_t quality, gss_buffer *input, _Out_ int *state, _Out_ gss_buffer *output',
    ),
    unwrap: call(
      'gss_unwrap',
      'void *context, gss_buffer *input, _Out_ gss_buffer *output, _Out_ int *state, void *quality',
    ),
    deleteContext: call('gss_delete_sec_context', '_Inout_ void **context, void *token'),
    displayStatus: call(
      'gss_display_status',
      'uint32_t status, int kind, gss_oid *mech, _Inout_ uint32_t *more, _Out_ gss_buffer *text',
    ),
    take: (output) => {
      const bytes: unknown = output.length === 0 ? [] : koffi.decode(output.value, 'uint8_t', output.length);
      release([0], output);
      return Buffer.from(bytes as Uint8Array);
    },
  };
}

/** `gss_buffer_desc`, `gss_OID_desc` and `gss_channel_bindings_struct` of gssapi.h. */
function defineStructs(koffi: typeof import('koffi')): void {
  koffi.struct('gss_buffer', { length: 'size_t', value: 'void *' });
  koffi.struct('gss_oid', { length: 'uint32_t', value: 'void *' });
  koffi.struct('gss_bindings', {
    initiatorType: 'uint32_t',
    initiator: 'gss_buffer',
    acceptorType: 'uint32_t',
    acceptor: 'gss_buffer',
    application: 'gss_buffer',
  });
}

/** An empty buffer for the output of a call. */
export function emptyBytes(): GssBytes {
  return { length: 0, value: null };
}

export function bytesOf(value: Buffer): GssBytes {
  return { length: value.length, value };
}
