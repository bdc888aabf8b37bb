using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace Fettle.Engine;

/// <summary>System calls of Linux that .NET does not offer. Those that fail throw, with the words of the system.</summary>
internal static class Libc
{
    [StructLayout(LayoutKind.Sequential)]
    public struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Answers;
    }

    public const short PollIn = 1;
    public const int CloseOnExec = 0x80000;
    public const int NonBlocking = 0x800;
    private const int Kill = 9;
    private const int ParentDeathSignal = 1;
    private const int PidfdOpen = 434;
    private const int Interrupted = 4;
    private const int WouldBlock = 11;

    /// <summary>
    /// _Fork(3), not fork: that one gives the stacks of the threads which a copy does not have to its new threads, while the
    /// collector of .NET goes on to look for references there.
    /// </summary>
    public static int Fork() => Checked(_Fork(), "_Fork");

    /// <summary>Ends this process at once: no finalizer, no thread that is waited for.</summary>
    public static void Exit(int code) => _exit(code);

    public static int OpenPid(int pid) => Checked((int)syscall(PidfdOpen, pid, 0), "pidfd_open");

    public static void Poll(PollEntry[] entries)
    {
        while (poll(entries, (nuint)entries.Length, -1) < 0)
        {
            if (Marshal.GetLastPInvokeError() != Interrupted)
            {
                throw Failed("poll");
            }
        }
    }

    /// <summary>The exit code of a child that has ended; null where a signal ended it.</summary>
    public static int? Reap(int pid)
    {
        Checked(waitpid(pid, out var status, 0), "waitpid");
        return (status & 0x7f) == 0 ? (status >> 8) & 0xff : null;
    }

    /// <summary>A process that leads a group, and the group.</summary>
    public static void KillGroup(int pid)
    {
        _ = kill(-pid, Kill);
        _ = kill(pid, Kill);
    }

    /// <summary>Makes this process the leader of a group that dies with the process that forked it.</summary>
    public static void LeadGroup()
    {
        Checked(setpgid(0, 0), "setpgid");
        Checked(prctl(ParentDeathSignal, Kill, 0, 0, 0), "prctl");
    }

    public static (int Read, int Write) Pipe(int flags)
    {
        var ends = new int[2];
        Checked(pipe2(ends, flags), "pipe2");
        return (ends[0], ends[1]);
    }

    /// <summary>Bytes read; 0 at the end, -1 where a descriptor that does not block has none.</summary>
    public static int Read(int descriptor, byte[] buffer)
    {
        while (true)
        {
            var count = (int)read(descriptor, buffer, (nuint)buffer.Length);
            if (count >= 0)
            {
                return count;
            }
            if (Marshal.GetLastPInvokeError() == WouldBlock)
            {
                return -1;
            }
            if (Marshal.GetLastPInvokeError() != Interrupted)
            {
                throw Failed("read");
            }
        }
    }

    public static void Write(int descriptor, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if ((int)write(descriptor, bytes, (nuint)bytes.Length) != bytes.Length)
        {
            throw Failed("write");
        }
    }

    public static int OpenNull() => Checked(open("/dev/null", 2 | CloseOnExec), "open /dev/null");

    public static void Duplicate(int from, int to) => Checked(dup2(from, to), "dup2");

    public static void Close(int descriptor) => _ = close(descriptor);

    /// <summary>A stream to the listener of that name in the abstract namespace of unix(7).</summary>
    public static int Connect(string name)
    {
        const int Unix = 1;
        const int Stream = 1;
        var descriptor = Checked(socket(Unix, Stream | CloseOnExec, 0), "socket");
        byte[] address = [Unix, 0, 0, .. Encoding.ASCII.GetBytes(name)];
        Checked(connect(descriptor, address, address.Length), "connect");
        return descriptor;
    }

    /// <summary>Overwrites a variable where /proc/PID/environ shows it; its first value has to be as long.</summary>
    public static void MarkEnvironment(string name, string value)
    {
        var place = getenv(name);
        var room = place == 0 ? 0 : Encoding.UTF8.GetByteCount(Marshal.PtrToStringUTF8(place)!);
        byte[] bytes = [.. Encoding.UTF8.GetBytes(value), 0];
        if (bytes.Length > room)
        {
            throw new InvalidOperationException($"{name} was started with {room} bytes: {value} does not fit");
        }
        Marshal.Copy(bytes, 0, place, bytes.Length);
    }

    private static int Checked(int result, string call) => result >= 0 ? result : throw Failed(call);

    private static Win32Exception Failed(string call)
    {
        var error = Marshal.GetLastPInvokeError();
        return new Win32Exception(error, $"{call}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

#pragma warning disable SYSLIB1054, CA2101
    [DllImport("libc", SetLastError = true)] private static extern int _Fork();
    [DllImport("libc")] private static extern void _exit(int code);
    [DllImport("libc", SetLastError = true)] private static extern nint syscall(nint number, nint first, nint second);
    [DllImport("libc", SetLastError = true)] private static extern int poll([In, Out] PollEntry[] entries, nuint count, int timeout);
    [DllImport("libc", SetLastError = true)] private static extern int waitpid(int pid, out int status, int options);
    [DllImport("libc", SetLastError = true)] private static extern int kill(int pid, int signal);
    [DllImport("libc", SetLastError = true)] private static extern int setpgid(int pid, int group);
    [DllImport("libc", SetLastError = true)] private static extern int prctl(int option, nint a, nint b, nint c, nint d);
    [DllImport("libc", SetLastError = true)] private static extern int pipe2([Out] int[] ends, int flags);
    [DllImport("libc", SetLastError = true)] private static extern nint read(int descriptor, [Out] byte[] buffer, nuint count);
    [DllImport("libc", SetLastError = true)] private static extern nint write(int descriptor, byte[] bytes, nuint count);
    [DllImport("libc", SetLastError = true)] private static extern int open(string path, int flags);
    [DllImport("libc", SetLastError = true)] private static extern int dup2(int from, int to);
    [DllImport("libc", SetLastError = true)] private static extern int close(int descriptor);
    [DllImport("libc", SetLastError = true)] private static extern int socket(int domain, int type, int protocol);
    [DllImport("libc", SetLastError = true)] private static extern int connect(int descriptor, byte[] address, int length);
    [DllImport("libc")] private static extern nint getenv(string name);
#pragma warning restore SYSLIB1054, CA2101
}
