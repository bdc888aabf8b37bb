using System.Globalization;
using System.Text.Json.Nodes;

namespace Fettle.Engine;

/// <summary>What the Task Scheduler's service does with a task that was started: its action, as SYSTEM.</summary>
internal static class TaskRunner
{
    public static int Run(string name)
    {
        Thread.Sleep(Model.Read().Whole("taskStartMs"));
        while (Model.Read().Text("taskGate") is { Length: > 0 } gate && !File.Exists(gate))
        {
            Thread.Sleep(20);
        }
        var action = Model.Update(model =>
        {
            var task = model.Object("tasks")[name];
            if (task is null)
            {
                return null;
            }
            task["state"] = 4;
            // SCHED_S_TASK_RUNNING
            task["lastTaskResult"] = 0x00041301;
            task["lastRunTime"] = JsonFields.Now();
            task["enginePid"] = Environment.ProcessId;
            return task["definition"]!.Objects("actions").First().DeepClone();
        });
        if (action is null)
        {
            return 1;
        }
        Environment.SetEnvironmentVariable("FETTLE_WINDOWS_TASK", name);
        var code = Execute(action);
        Model.Update(model =>
        {
            if (model.Object("tasks")[name] is { } task)
            {
                task["state"] = 3;
                task["lastTaskResult"] = code;
                task["enginePid"] = 0;
            }
        });
        return code;
    }

    private static int Execute(JsonNode action)
    {
        var program = Environment.ExpandEnvironmentVariables(action.Text("path")).Trim('"');
        if (!File.Exists(program))
        {
            // ERROR_FILE_NOT_FOUND
            return unchecked((int)0x80070002);
        }
        var arguments = action.Text("arguments").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word.Trim('"')).ToArray();
        if (Path.GetFileName(program).Equals("powershell.exe", StringComparison.OrdinalIgnoreCase))
        {
            return PowerShellProcess.Run(arguments);
        }
        using var process = System.Diagnostics.Process.Start(program, arguments);
        process.WaitForExit();
        return process.ExitCode;
    }
}
