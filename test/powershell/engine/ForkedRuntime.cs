using System.Reflection;

namespace Fettle.Engine;

/// <summary>
/// What .NET needs to live on in a forked process, which has the one thread that called fork and the memory of all. So
/// the server has no other threads but those below, which wait for work that a copy never gives them.
/// </summary>
internal static class ForkedRuntime
{
    private const string GateThread = ".NET TP Gate";
    private static readonly string[] Idle = [".NET SynchManag", ".NET Finalizer", GateThread];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Makes the process one that can be forked; the thread pool lets its workers go after DOTNET_ThreadPool_ThreadTimeoutMs.</summary>
    /// <exception cref="InvalidOperationException">A thread or a mapping stays that a copy would miss.</exception>
    public static void Prepare()
    {
        GC.Collect();
        Settle();
        if (File.ReadLines("/proc/self/smaps").Any(line => line.StartsWith("VmFlags:", StringComparison.Ordinal) && line.Contains(" dc", StringComparison.Ordinal)))
        {
            throw new InvalidOperationException("a mapping of this process is not copied into a forked one (MADV_DONTFORK)");
        }
    }

    /// <summary>Waits until there is no other thread but those that sleep, and no finalizer left to run.</summary>
    public static void Settle()
    {
        GC.WaitForPendingFinalizers();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (BusyThreads() is { Count: > 0 } busy)
        {
            if (clock.Elapsed > Patience)
            {
                throw new InvalidOperationException($"threads that a forked process would miss: {string.Join(", ", busy)}");
            }
            Thread.Sleep(1);
        }
    }

    /// <summary>Forgets, in a copy, what is not true of it: the process id, and the thread that watches the thread pool.</summary>
    public static void Begin()
    {
        Field(typeof(Environment), "s_processId", BindingFlags.Static).SetValue(null, 0);
        var pool = typeof(ThreadPool).Assembly.GetType("System.Threading.PortableThreadPool", throwOnError: true)!;
        var instance = Field(pool, "ThreadPoolInstance", BindingFlags.Static).GetValue(null);
        var separated = Field(pool, "_separated", BindingFlags.Instance);
        var state = separated.GetValue(instance)!;
        Field(state.GetType(), "gateThreadRunningState", BindingFlags.Instance).SetValue(state, 0);
        separated.SetValue(instance, state);
    }

    private static FieldInfo Field(Type type, string name, BindingFlags kind) =>
        type.GetField(name, kind | BindingFlags.NonPublic | BindingFlags.Public)
        ?? throw new MissingFieldException(type.FullName, name);

    private static List<string> BusyThreads() =>
        Directory.GetDirectories("/proc/self/task")
            .Where(path => Path.GetFileName(path) != Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture))
            .Select(StateOf)
            .Where(thread => !Idle.Any(name => thread == $"({name}) S"))
            .ToList();

    /// "(name) S"; empty when it has ended meanwhile.
    private static string StateOf(string path)
    {
        try
        {
            var stat = File.ReadAllText(Path.Combine(path, "stat"));
            return stat[stat.IndexOf('(')..(stat.LastIndexOf(')') + 3)];
        }
        catch (IOException)
        {
            return "";
        }
    }
}
