namespace Fettle.Engine;

/// <summary>What the simulated host's executables are, by the first argument.</summary>
internal static class Program
{
    /// <summary>What Windows gives a process that ends by an exception of .NET.</summary>
    private const int ClrException = unchecked((int)0xE0434352);

    private static int Main(string[] args)
    {
        if (args is ["--fork-server", var socket])
        {
            if (ForkServer.Serve(socket) is { } order)
            {
                RunForked(order.Args);
            }
            return 0;
        }
        var code = Run(args);
        ExitCodes.Leave(code);
        return code;
    }

    private static int Run(string[] args) => (args.Length == 0 ? "" : args[0]) switch
    {
        "--task" => TaskRunner.Run(args[1]),
        "--com-members" => ComMembers.Print(),
        "--shutdown" => ShutdownCommand.Run(args[1..]),
        _ => PowerShellProcess.Run(args),
    };

    /// The ordinary way out waits for the thread of finalizers, which a forked process does not have.
    private static void RunForked(string[] args)
    {
        int code;
        try
        {
            code = Run(args);
        }
        catch (Exception error)
        {
            Console.Error.WriteLine($"Unhandled exception. {error}");
            code = ClrException;
        }
        ExitCodes.Leave(code);
        Console.Out.Flush();
        Console.Error.Flush();
        Libc.Exit(code & 255);
    }
}

/// <summary>
/// Exit codes of Windows have 32 bits, of which eight arrive here. What does not fit is left in a file of the model
/// under the number of the process; a program of the host's that is a shell script may do the same.
/// </summary>
internal static class ExitCodes
{
    public static void Leave(int code)
    {
        if (code is >= 0 and <= 255 || Environment.GetEnvironmentVariable("FETTLE_WINDOWS_MODEL") is null)
        {
            return;
        }
        Directory.CreateDirectory(Folder);
        File.WriteAllText(PathOf(Environment.ProcessId), unchecked((uint)code).ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>The code of a process that has ended, whose own code is `code`.</summary>
    public static int Take(int pid, int code)
    {
        var path = PathOf(pid);
        if (!File.Exists(path))
        {
            return code;
        }
        var left = uint.Parse(File.ReadAllText(path).Trim(), System.Globalization.CultureInfo.InvariantCulture);
        File.Delete(path);
        return unchecked((int)left);
    }

    private static string Folder => Path.Combine(Model.Directory, "exits");

    private static string PathOf(int pid) => Path.Combine(Folder, pid.ToString(System.Globalization.CultureInfo.InvariantCulture));
}
