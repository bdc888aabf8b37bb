using System.Management.Automation.Language;

namespace Fettle.Checks;

/// <summary>Under strict mode a variable that nobody sets ends the script; mostly it is a misspelt one.</summary>
internal static class VariableChecks
{
    private static readonly HashSet<string> Automatic = new(StringComparer.OrdinalIgnoreCase)
    {
        "_", "PSItem", "args", "input", "true", "false", "null", "Matches", "ExecutionContext", "PSVersionTable", "MyInvocation", "Error", "LASTEXITCODE", "PID", "?",
    };

    public static IEnumerable<Finding> Of(IReadOnlyList<Part> parts)
    {
        var known = new HashSet<string>(Automatic, StringComparer.OrdinalIgnoreCase);
        foreach (var part in parts)
        {
            known.UnionWith(part.All<AssignmentStatementAst>().SelectMany(Targets));
            known.UnionWith(part.All<ParameterAst>().Select(parameter => parameter.Name.VariablePath.UserPath));
            known.UnionWith(part.All<ForEachStatementAst>().Select(loop => loop.Variable.VariablePath.UserPath));
        }
        return parts.SelectMany(part => part.All<VariableExpressionAst>()
            .Where(variable => !variable.VariablePath.IsDriveQualified && !known.Contains(Plain(variable)))
            .Select(variable => part.Finding(variable.Extent, "variable", $"nobody sets {variable.Extent.Text}")));
    }

    private static IEnumerable<string> Targets(AssignmentStatementAst assignment) =>
        assignment.Left.FindAll(ast => ast is VariableExpressionAst, false).Cast<VariableExpressionAst>().Select(Plain);

    /// Without `script:`.
    private static string Plain(VariableExpressionAst variable) => variable.VariablePath.UserPath.Split(':')[^1];
}
