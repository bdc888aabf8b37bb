using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace Fettle.Engine;

/// <summary>Runs warm-up.ps1 on an empty host: what it loads and compiles, copies of this process need not.</summary>
internal static class WarmUp
{
    private const string Request = "v1 0123456789abcdef start job=r1-a-1 kind=hook run=R1 fence=1 -- a,b c,d";

    private const string Host = """{"account": {"name": "nobody", "sid": "S-1-5-7", "isAdministrator": true}}""";

    public static void Run()
    {
        var directory = Directory.CreateTempSubdirectory("fettle-warm-up-").FullName;
        var variable = Environment.GetEnvironmentVariable("FETTLE_WINDOWS_MODEL");
        Environment.SetEnvironmentVariable("FETTLE_WINDOWS_MODEL", directory);
        try
        {
            File.WriteAllText(Path.Combine(directory, "model.json"), Host);
            Model.Update(model => model["os"] = new System.Text.Json.Nodes.JsonObject());
            Run(directory);
        }
        finally
        {
            Environment.SetEnvironmentVariable("FETTLE_WINDOWS_MODEL", variable);
            Directory.Delete(directory, recursive: true);
        }
    }

    private static void Run(string directory)
    {
        using var text = new StreamReader(typeof(WarmUp).Assembly.GetManifestResourceStream("warm-up.ps1")!);
        using var runspace = RunspaceFactory.CreateRunspace(new ConsoleHost(), Sessions.Create(PSLanguageMode.FullLanguage));
        runspace.Open();
        Sessions.PresentAsDesktopEdition(runspace, "5.1");
        using var shell = PowerShell.Create(runspace);
        shell.AddScript(text.ReadToEnd()).AddArgument(Request).AddArgument(directory).Invoke();
    }
}
