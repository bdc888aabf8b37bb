// Certificates made by openssl when a test asks for them.
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface MadeCertificate {
  /** PEM. */
  readonly key: string;
  /** PEM; signs itself, so it is its own authority too. */
  readonly certificate: string;
  readonly der: Buffer;
  /** Hash of the certificate as RFC 5929 wants it for `tls-server-end-point`. */
  readonly bindingHash: Buffer;
  /** SHA-256 of the DER, hex in lower case. */
  readonly fingerprint: string;
}

export interface CertificateOptions {
  /** Default `localhost`. */
  readonly commonName?: string;
  /** Of the signature. Default sha256. */
  readonly digest?: 'sha1' | 'sha256' | 'sha384' | 'sha512';
  /** Default p256. */
  readonly keyType?: 'p256' | 'rsa' | 'rsa-pss';
  /** One that ran out a day ago. */
  readonly isExpired?: boolean;
  /** For a client's certificate. */
  readonly isForClient?: boolean;
}

/** A fresh self-signed certificate for `localhost`, `127.0.0.1` and its common name. */
export function makeCertificate(options: CertificateOptions = {}): MadeCertificate {
  const { commonName = 'localhost', digest = 'sha256', keyType = 'p256' } = options;
  const dir = mkdtempSync(join(tmpdir(), 'fettle-certificate-'));
  try {
    const files = ['-keyout', join(dir, 'key'), '-out', join(dir, 'certificate')];
    const words = ['-subj', `/CN=${commonName}`, '-nodes', `-${digest}`, ...keyWords(keyType), '-days', '2'];
    const names = ['-addext', `subjectAltName=DNS:${commonName},DNS:localhost,IP:127.0.0.1`];
    const usage = options.isForClient === true ? 'clientAuth' : 'serverAuth';
    const extensions = [...names, '-addext', `extendedKeyUsage=${usage}`];
    openssl('req', '-x509', ...words, ...extensions, ...files);
    if (options.isExpired === true) expire(dir, digest);
    const certificate = readFileSync(join(dir, 'certificate'), 'utf8');
    const der = new X509Certificate(certificate).raw;
    return {
      key: readFileSync(join(dir, 'key'), 'utf8'),
      certificate,
      der,
      // RFC 5929 4.1: MD5 and SHA-1 give way to SHA-256.
      bindingHash: createHash(digest === 'sha1' ? 'sha256' : digest)
        .update(der)
        .digest(),
      fingerprint: createHash('sha256').update(der).digest('hex'),
    };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function keyWords(keyType: 'p256' | 'rsa' | 'rsa-pss'): string[] {
  if (keyType === 'p256') return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const rsa = ['-newkey', 'rsa:2048'];
  return keyType === 'rsa' ? rsa : [...rsa, '-sigopt', 'rsa_padding_mode:pss'];
}

/** `req` takes no past dates; `x509` signs again with any. */
function expire(dir: string, digest: string): void {
  const file = join(dir, 'certificate');
  openssl('x509', '-in', file, '-signkey', join(dir, 'key'), `-${digest}`, '-days', '-1', '-out', file);
}

function openssl(...words: readonly string[]): void {
  execFileSync('openssl', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}
