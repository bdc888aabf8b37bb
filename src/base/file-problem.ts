/** Why a file could not be opened, read or written, from the error of a system call: plain words without the path. */
export function fileProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return problems[code] ?? error.message;
}

/** By the name of the error in errno(3). */
const problems: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is not a directory',
  ELOOP: 'too many symbolic links',
  EEXIST: 'it exists already',
  ENOSPC: 'no space left on the disk',
  EROFS: 'the file system is read-only',
  ENAMETOOLONG: 'its name is too long',
};
