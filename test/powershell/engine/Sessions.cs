using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;
using Fettle.Engine.Doubles;

namespace Fettle.Engine;

/// <summary>Sessions that look like Windows PowerShell 5.1 and hold the doubles.</summary>
internal static class Sessions
{
    /// Automatic variables that Windows PowerShell does not have: under strict mode they must be missing.
    private static readonly string[] CoreOnly = ["IsWindows", "IsLinux", "IsMacOS", "IsCoreCLR", "EnabledExperimentalFeatures", "PSStyle"];

    public static InitialSessionState Create(PSLanguageMode mode)
    {
        Types.Register();
        var state = InitialSessionState.CreateDefault2();
        state.LanguageMode = mode;
        foreach (var name in CoreOnly)
        {
            state.Variables.Remove(name, null);
        }
        Types.AddMembers(state);
        foreach (var type in typeof(Sessions).Assembly.GetTypes())
        {
            if (type.GetCustomAttribute<CmdletAttribute>() is { } cmdlet)
            {
                state.Commands.Add(new SessionStateCmdletEntry($"{cmdlet.VerbName}-{cmdlet.NounName}", type, null));
            }
        }
        return state;
    }

    public static void PresentAsDesktopEdition(Runspace runspace, string version)
    {
        if (runspace.SessionStateProxy.GetVariable("PSVersionTable") is not Hashtable table)
        {
            return;
        }
        foreach (var name in new[] { "OS", "Platform", "GitCommitId" })
        {
            table.Remove(name);
        }
        table["PSVersion"] = new Version(version);
        table["BuildVersion"] = new Version("10.0.20348.2227");
        table["CLRVersion"] = new Version("4.0.30319.42000");
        table["PSEdition"] = "Desktop";
    }
}
