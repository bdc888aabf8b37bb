using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;

namespace Fettle.Engine.Doubles;

/// <summary>
/// Gives names of .NET Framework types to the doubles. The names that the engine looks at first are its built-in
/// accelerators; only they win over a type of the same name in a loaded assembly, such as the registry's, which on this
/// system only throws.
/// </summary>
internal static class Types
{
    private static readonly Dictionary<string, Type> Doubles = new()
    {
        ["Microsoft.Win32.RegistryKey"] = typeof(RegistryKeyDouble),
        ["Microsoft.Win32.Registry"] = typeof(RegistryDouble),
        ["System.Security.Principal.WindowsIdentity"] = typeof(WindowsIdentityDouble),
        ["System.Security.Principal.WindowsPrincipal"] = typeof(WindowsPrincipalDouble),
        ["System.Security.Principal.SecurityIdentifier"] = typeof(SecurityIdentifierDouble),
        ["System.Security.AccessControl.DirectorySecurity"] = typeof(FileSecurityDouble),
        ["System.Security.AccessControl.FileSecurity"] = typeof(FileSecurityDouble),
        ["System.Security.AccessControl.FileSystemAccessRule"] = typeof(FileSystemAccessRuleDouble),
        ["System.ServiceProcess.ServiceController"] = typeof(ServiceControllerDouble),
        ["System.ServiceProcess.ServiceControllerStatus"] = typeof(ServiceControllerStatus),
        ["System.IO.Directory"] = typeof(DirectoryDouble),
        ["System.IO.DriveInfo"] = typeof(DriveInfoDouble),
        ["System.Diagnostics.Stopwatch"] = typeof(StopwatchDouble),
        ["System.Threading.Mutex"] = typeof(MutexDouble),
    };

    private static bool s_isRegistered;

    public static void Register()
    {
        if (s_isRegistered)
        {
            return;
        }
        s_isRegistered = true;
        var accelerators = typeof(PSObject).Assembly.GetType("System.Management.Automation.TypeAccelerators")!;
        var field = accelerators.GetField("builtinTypeAccelerators", BindingFlags.NonPublic | BindingFlags.Static)!;
        var builtIn = (IDictionary<string, Type>)field.GetValue(null)!;
        foreach (var (name, type) in Doubles)
        {
            builtIn[name] = type;
            if (name.StartsWith("System.", StringComparison.Ordinal))
            {
                builtIn[name["System.".Length..]] = type;
            }
        }
    }

    /// <summary>Adds members that .NET Framework's own types have, and replaces one that Linux makes smaller.</summary>
    public static void AddMembers(InitialSessionState state)
    {
        var directory = new TypeData(typeof(DirectoryInfo));
        var file = new TypeData(typeof(FileInfo));
        AddMethod(directory, nameof(AccessControlMethods.Create));
        foreach (var data in new[] { directory, file })
        {
            AddMethod(data, nameof(AccessControlMethods.GetAccessControl));
            AddMethod(data, nameof(AccessControlMethods.SetAccessControl));
        }
        var process = new TypeData(typeof(System.Diagnostics.Process));
        process.Members.Add("ExitCode", new CodePropertyData("ExitCode", typeof(ProcessMembers).GetMethod(nameof(ProcessMembers.ExitCode))));
        foreach (var data in new[] { directory, file, process })
        {
            state.Types.Add(new SessionStateTypeEntry(data, isRemove: false));
        }
    }

    private static void AddMethod(TypeData data, string name) =>
        data.Members.Add(name, new CodeMethodData(name, typeof(AccessControlMethods).GetMethod(name)));
}

/// <summary>Members of System.Diagnostics.Process.</summary>
public static class ProcessMembers
{
    public static int ExitCode(PSObject process)
    {
        var ended = (System.Diagnostics.Process)process.BaseObject;
        return ExitCodes.Take(ended.Id, ended.ExitCode);
    }
}

/// <summary>System.Diagnostics.Stopwatch, whose counter begins anew when the host boots.</summary>
public sealed class StopwatchDouble
{
    private readonly System.Diagnostics.Stopwatch _clock = System.Diagnostics.Stopwatch.StartNew();

    public static readonly long Frequency = TimeSpan.TicksPerSecond;
    public static readonly bool IsHighResolution = true;

    public TimeSpan Elapsed => _clock.Elapsed;
    public long ElapsedMilliseconds => _clock.ElapsedMilliseconds;
    public bool IsRunning => _clock.IsRunning;

    public static StopwatchDouble StartNew() => new();

    public static long GetTimestamp() =>
        (DateTime.UtcNow - JsonFields.Epoch(Model.Read().Object("boot").Number("time"))).Ticks;

    public void Stop() => _clock.Stop();
    public void Restart() => _clock.Restart();
}
