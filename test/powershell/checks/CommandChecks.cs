using System.Management.Automation.Language;

namespace Fettle.Checks;

/// <summary>Every command is a function of the script, or one that Windows PowerShell 5.1 has by itself.</summary>
internal static class CommandChecks
{
    public static IEnumerable<Finding> Of(IReadOnlyList<Part> parts, IReadOnlySet<string> commands)
    {
        var functions = new Dictionary<string, FunctionDefinitionAst>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in parts)
        {
            foreach (var function in part.All<FunctionDefinitionAst>())
            {
                if (!functions.TryAdd(function.Name, function))
                {
                    yield return part.Finding(function.Extent, "command", $"{function.Name} is defined twice");
                }
                if (commands.Contains(function.Name))
                {
                    yield return part.Finding(function.Extent, "command", $"{function.Name} hides a command of PowerShell");
                }
            }
        }
        foreach (var part in parts)
        {
            foreach (var command in part.All<CommandAst>())
            {
                // Without a name it is `& $block`.
                if (command.GetCommandName() is not { } name || commands.Contains(name))
                {
                    continue;
                }
                if (!functions.TryGetValue(name, out var function))
                {
                    yield return part.Finding(command.Extent, "command", $"{name} is neither on the list of 5.1 nor a function of this script");
                }
                else if (TooMany(command, function) is { } words)
                {
                    yield return part.Finding(command.Extent, "command", words);
                }
            }
        }
    }

    /// PowerShell drops what a plain function has no parameter for, without a word.
    private static string? TooMany(CommandAst command, FunctionDefinitionAst function)
    {
        var parameters = function.Parameters ?? function.Body.ParamBlock?.Parameters;
        var given = command.CommandElements.Skip(1).ToArray();
        if (given.Any(element => element is CommandParameterAst || element is VariableExpressionAst { Splatted: true }))
        {
            return null;
        }
        var wanted = parameters?.Count ?? 0;
        return given.Length > wanted ? $"{function.Name} takes {wanted} arguments, not {given.Length}" : null;
    }
}
