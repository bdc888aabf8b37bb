using System.Security.Cryptography;
using System.Text;

namespace Fettle.Engine.Doubles;

/// <summary>System.IO.Directory of .NET Framework: with access control, which .NET keeps elsewhere.</summary>
public static class DirectoryDouble
{
    public static bool Exists(string path) => Directory.Exists(path);
    public static DirectoryInfo CreateDirectory(string path) => Directory.CreateDirectory(path);
    public static void Delete(string path) => Directory.Delete(path);
    public static void Delete(string path, bool recursive) => Directory.Delete(path, recursive);

    /// <summary>Within a volume a directory takes its access control along.</summary>
    public static void Move(string sourceDirName, string destDirName)
    {
        Directory.Move(sourceDirName, destDirName);
        FileSecurityDouble.Moved(sourceDirName, destDirName);
    }

    public static string[] GetFiles(string path) => Directory.GetFiles(path);
    public static string[] GetFiles(string path, string searchPattern) => Directory.GetFiles(path, searchPattern);
    public static string[] GetFiles(string path, string searchPattern, SearchOption searchOption) => Directory.GetFiles(path, searchPattern, searchOption);
    public static string[] GetDirectories(string path) => Directory.GetDirectories(path);
    public static string[] GetDirectories(string path, string searchPattern) => Directory.GetDirectories(path, searchPattern);
    public static string[] GetFileSystemEntries(string path) => Directory.GetFileSystemEntries(path);
    public static DirectoryInfo? GetParent(string path) => Directory.GetParent(path);
    public static string GetCurrentDirectory() => Directory.GetCurrentDirectory();
    public static void SetCurrentDirectory(string path) => Directory.SetCurrentDirectory(path);
    public static DateTime GetCreationTimeUtc(string path) => Directory.GetCreationTimeUtc(path);
    public static DateTime GetLastWriteTimeUtc(string path) => Directory.GetLastWriteTimeUtc(path);
    public static void SetLastWriteTimeUtc(string path, DateTime lastWriteTimeUtc) => Directory.SetLastWriteTimeUtc(path, lastWriteTimeUtc);

    /// <summary>An existing directory keeps what it had, as on Windows.</summary>
    public static DirectoryInfo CreateDirectory(string path, FileSecurityDouble directorySecurity)
    {
        if (!Directory.Exists(path))
        {
            directorySecurity.WriteTo(path);
        }
        return Directory.CreateDirectory(path);
    }

    public static FileSecurityDouble GetAccessControl(string path) => FileSecurityDouble.Of(path);

    public static FileSecurityDouble GetAccessControl(string path, System.Security.AccessControl.AccessControlSections includeSections) => FileSecurityDouble.Of(path);

    public static void SetAccessControl(string path, FileSecurityDouble directorySecurity) => directorySecurity.WriteTo(path);
}

/// <summary>System.IO.DriveInfo of the model's first disk.</summary>
public sealed class DriveInfoDouble(string driveName)
{
    public string Name => driveName;
    public bool IsReady => true;
    public DriveType DriveType => DriveType.Fixed;
    public string DriveFormat => "NTFS";
    public long AvailableFreeSpace => (long)Disk.Number("free");
    public long TotalFreeSpace => AvailableFreeSpace;
    public long TotalSize => (long)Disk.Number("size");

    private static System.Text.Json.Nodes.JsonObject Disk => Model.Read().Objects("disks").First();
}

/// <summary>System.Threading.Mutex with a name: of this host only, which the machine under the tests does not know.</summary>
public sealed class MutexDouble : IDisposable
{
    private readonly string _path;
    private FileStream? _held;

    public MutexDouble(bool initiallyOwned, string name)
    {
        _path = PathOf(name);
        if (initiallyOwned)
        {
            WaitOne(0);
        }
    }

    /// <exception cref="WaitHandleCannotBeOpenedException">No process has it open.</exception>
    public static MutexDouble OpenExisting(string name)
    {
        var mutex = new MutexDouble(false, name);
        var isForeign = Model.Read().Texts("mutexes").Contains(name, StringComparer.Ordinal);
        if (!isForeign && mutex.WaitOne(0))
        {
            mutex.ReleaseMutex();
            throw new WaitHandleCannotBeOpenedException("No handle of the given name exists.");
        }
        return mutex;
    }

    public bool WaitOne() => WaitOne(-1);

    public bool WaitOne(int millisecondsTimeout)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (true)
        {
            try
            {
                _held ??= new FileStream(_path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                return true;
            }
            catch (IOException)
            {
                if (millisecondsTimeout >= 0 && clock.ElapsedMilliseconds >= millisecondsTimeout)
                {
                    return false;
                }
                Thread.Sleep(5);
            }
        }
    }

    public void ReleaseMutex() => Dispose();
    public void Close() => Dispose();

    public void Dispose()
    {
        _held?.Dispose();
        _held = null;
    }

    private static string PathOf(string name) =>
        Path.Combine(Model.Directory, $"mutex-{Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..16]}");
}
