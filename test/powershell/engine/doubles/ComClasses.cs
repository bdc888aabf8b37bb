using System.Collections;
using System.Runtime.InteropServices;

namespace Fettle.Engine.Doubles;

/// <summary>COM classes by their ProgID.</summary>
internal static class ComClasses
{
    private static readonly Dictionary<string, Func<ComObject>> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Schedule.Service"] = () => new TaskService(),
        ["Microsoft.Update.Session"] = () => new UpdateSession(),
        ["Microsoft.Update.Searcher"] = () => new UpdateSearcher(""),
        ["Microsoft.Update.Downloader"] = () => new UpdateSession().CreateUpdateDownloader(),
        ["Microsoft.Update.Installer"] = () => new UpdateSession().CreateUpdateInstaller(),
        ["Microsoft.Update.UpdateColl"] = () => new UpdateCollection([]),
        ["Microsoft.Update.StringColl"] = () => new StringCollection([]),
        ["Microsoft.Update.SystemInfo"] = () => new SystemInformation(),
        ["Microsoft.Update.AgentInfo"] = () => new AgentInformation(),
        ["Microsoft.Update.AutoUpdate"] = () => new AutomaticUpdates(),
        ["Microsoft.Update.ServiceManager"] = () => new UpdateServiceManager(),
    };

    public static object Create(string progId)
    {
        if (Known.TryGetValue(progId, out var create))
        {
            return ComProxy.Wrap(create())!;
        }
        // REGDB_E_CLASSNOTREG, with the words of New-Object.
        var message = "Retrieving the COM class factory for component with CLSID {00000000-0000-0000-0000-000000000000} failed due to the following error: 80040154 Class not registered";
        throw new COMException(message, unchecked((int)0x80040154));
    }
}

/// <summary>A double of a COM object: its public members are those of the interface.</summary>
public abstract class ComObject
{
    /// <summary>E_ACCESSDENIED arrives as UnauthorizedAccessException: .NET maps the code.</summary>
    internal static Exception Fault(int hresult, string message = "") =>
        hresult == unchecked((int)0x80070005)
            ? new UnauthorizedAccessException("Access is denied. (Exception from HRESULT: 0x80070005 (E_ACCESSDENIED))")
            : new COMException(message.Length > 0 ? message : $"Exception from HRESULT: 0x{hresult:X8}", hresult);

    /// <summary>Called before a property is read; throws where the model says that it fails.</summary>
    internal virtual void BeforeRead(string name) { }
}

/// <summary>A collection with Count and Item(index), which can also be enumerated.</summary>
public class ComCollection<T>(IEnumerable<T> items) : ComObject, IEnumerable
{
    protected List<T> Items { get; } = [.. items];

    public int Count => Items.Count;

    internal IReadOnlyList<T> All => Items;

    public virtual T Item(int index) =>
        index >= 0 && index < Items.Count ? Items[index] : throw Fault(unchecked((int)0x80240007));

    public IEnumerator GetEnumerator() => Items.GetEnumerator();
}
