using System.Management.Automation.Language;
using System.Reflection;

namespace Fettle.Checks;

/// <summary>
/// Every .NET type exists in .NET Framework 4.6.2, with the members that are used of it: of types that are named, and of
/// values whose type follows from what the script says. What cannot be known is left to the tests that run the script.
/// </summary>
internal sealed class TypeChecks
{
    private const BindingFlags Static = BindingFlags.Public | BindingFlags.Static | BindingFlags.IgnoreCase | BindingFlags.FlattenHierarchy;
    private const BindingFlags Instance = BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase;

    /// Members that PowerShell adds to everything.
    private static readonly HashSet<string> Added = new(StringComparer.OrdinalIgnoreCase) { "Count", "Length", "PSObject", "psbase", "ForEach", "Where" };

    private readonly Framework _framework;
    private readonly Part _part;
    private readonly Dictionary<(Ast Scope, string Name), Type?> _variables = [];

    public TypeChecks(Framework framework, Part part)
    {
        _framework = framework;
        _part = part;
        // Twice, for what is inferred from a variable that is set further down.
        LearnVariables();
        LearnVariables();
    }

    public IEnumerable<Finding> Run() => [.. TypeNames(), .. Creations(), .. Members()];

    private IEnumerable<Finding> TypeNames()
    {
        var named = _part.All<TypeExpressionAst>().Select(ast => (ast.Extent, ast.TypeName))
            .Concat(_part.All<TypeConstraintAst>().Select(ast => (ast.Extent, ast.TypeName)));
        return named.Where(pair => _framework.Find(pair.TypeName) is null && !_framework.IsOfPowerShell(pair.TypeName))
            .Select(pair => _part.Finding(pair.Extent, "type", $"{pair.TypeName.FullName} is not in .NET Framework 4.6.2"));
    }

    private IEnumerable<Finding> Creations()
    {
        foreach (var command in _part.All<CommandAst>().Where(IsNewObject))
        {
            if (CreatedName(command) is not { } name || name.EndsWith("PSObject", StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }
            if (_framework.Find(name) is not { } type)
            {
                yield return _part.Finding(command.Extent, "type", $"{name} is not in .NET Framework 4.6.2");
            }
            else if (!type.IsArray && !TakesCount(type.GetConstructors(), CreationArguments(command), type.IsValueType))
            {
                yield return _part.Finding(command.Extent, "member", $"{type.FullName} has no constructor for {CreationArguments(command)} arguments");
            }
        }
    }

    private IEnumerable<Finding> Members()
    {
        foreach (var access in _part.All<MemberExpressionAst>())
        {
            if (access.Member is not StringConstantExpressionAst { Value: var name } || Owner(access) is not { } owner)
            {
                continue;
            }
            if (access is InvokeMemberExpressionAst call)
            {
                var count = call.Arguments?.Count ?? 0;
                if (!HasMethod(owner, name, count, call.Static))
                {
                    yield return _part.Finding(access.Extent, "member", $"{owner.FullName}.{name} with {count} arguments is not in .NET Framework 4.6.2");
                }
            }
            else if (ValueType(owner, name, access.Static) is null && !IsDynamic(owner, name))
            {
                yield return _part.Finding(access.Extent, "member", $"{owner.FullName}.{name} is not in .NET Framework 4.6.2");
            }
        }
    }

    private Type? Owner(MemberExpressionAst access) =>
        access.Static
            ? access.Expression is TypeExpressionAst type ? _framework.Find(type.TypeName) : null
            : Infer(access.Expression);

    /// Tables give their keys as properties, and lists the properties of what is in them.
    private static bool IsDynamic(Type owner, string name) =>
        Added.Contains(name) || owner.FullName == "System.Object" || owner.GetInterfaces().Any(one => one.FullName is "System.Collections.IDictionary" or "System.Collections.IEnumerable");

    private static bool HasMethod(Type owner, string name, int count, bool isStatic)
    {
        if (owner.FullName == "System.Object" || Added.Contains(name))
        {
            return true;
        }
        if (isStatic && name.Equals("new", StringComparison.OrdinalIgnoreCase))
        {
            return TakesCount(owner.GetConstructors(), count, owner.IsValueType) || (owner.IsArray && count == 1);
        }
        return TakesCount(Methods(owner, name, isStatic), count, false);
    }

    private static MethodInfo[] Methods(Type owner, string name, bool isStatic) =>
        WithInterfaces(owner).SelectMany(type => type.GetMethods(isStatic ? Static : Instance))
            .Where(method => method.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            .ToArray();

    private static IEnumerable<Type> WithInterfaces(Type type) => type.IsInterface ? [type, .. type.GetInterfaces()] : [type];

    private static bool TakesCount(IReadOnlyCollection<MethodBase> methods, int count, bool isValueType) =>
        (isValueType && count == 0) || methods.Any(method => Takes(method.GetParameters(), count));

    private static bool Takes(ParameterInfo[] parameters, int count)
    {
        var isOpen = parameters.Length > 0 && parameters[^1].GetCustomAttributesData().Any(data => data.AttributeType.FullName == "System.ParamArrayAttribute");
        return isOpen ? count >= parameters.Length - 1 : count <= parameters.Length && parameters.Skip(count).All(parameter => parameter.IsOptional);
    }

    private static Type? ValueType(Type owner, string name, bool isStatic)
    {
        var flags = isStatic ? Static : Instance;
        foreach (var type in WithInterfaces(owner))
        {
            var property = type.GetProperties(flags).FirstOrDefault(property => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
            var field = type.GetFields(flags).FirstOrDefault(field => field.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
            if ((property?.PropertyType ?? field?.FieldType) is { } found)
            {
                return found;
            }
        }
        return null;
    }

    private Type? Infer(Ast ast) => ast switch
    {
        ConvertExpressionAst convert => _framework.Find(convert.Type.TypeName),
        StringConstantExpressionAst or ExpandableStringExpressionAst => _framework.Find("string"),
        ParenExpressionAst paren => Infer(paren.Pipeline),
        PipelineAst { PipelineElements.Count: 1 } pipeline => Infer(pipeline.PipelineElements[0]),
        CommandExpressionAst expression => Infer(expression.Expression),
        CommandAst command when IsNewObject(command) => CreatedName(command) is { } name ? _framework.Find(name) : null,
        VariableExpressionAst variable => _variables.GetValueOrDefault((ScopeOf(variable), variable.VariablePath.UserPath.ToLowerInvariant())),
        InvokeMemberExpressionAst call => Result(call),
        MemberExpressionAst { Member: StringConstantExpressionAst member } access => Owner(access) is { } owner ? ValueType(owner, member.Value, access.Static) : null,
        _ => null,
    };

    /// The one type that all overloads of the name return.
    private Type? Result(InvokeMemberExpressionAst call)
    {
        if (call.Member is not StringConstantExpressionAst { Value: var name } || Owner(call) is not { } owner)
        {
            return null;
        }
        if (call.Static && name.Equals("new", StringComparison.OrdinalIgnoreCase))
        {
            return owner;
        }
        var count = call.Arguments?.Count ?? 0;
        var types = Methods(owner, name, call.Static).Where(method => Takes(method.GetParameters(), count)).Select(method => method.ReturnType).Distinct().ToArray();
        return types.Length == 1 && !types[0].ContainsGenericParameters ? types[0] : null;
    }

    private void LearnVariables()
    {
        var seen = new Dictionary<(Ast, string), Type?>();
        foreach (var parameter in _part.All<ParameterAst>())
        {
            var constraint = parameter.Attributes.OfType<TypeConstraintAst>().FirstOrDefault();
            Note(seen, parameter.Name, constraint is null ? null : _framework.Find(constraint.TypeName));
        }
        foreach (var assignment in _part.All<AssignmentStatementAst>())
        {
            var (target, type) = assignment.Left is ConvertExpressionAst { Child: VariableExpressionAst typed } convert
                ? (typed, _framework.Find(convert.Type.TypeName))
                : (assignment.Left as VariableExpressionAst, Infer(assignment.Right));
            if (target is not null)
            {
                Note(seen, target, assignment.Operator == TokenKind.Equals ? type : null);
            }
        }
        foreach (var loop in _part.All<ForEachStatementAst>())
        {
            Note(seen, loop.Variable, null);
        }
        foreach (var (key, type) in seen)
        {
            _variables[key] = type;
        }
    }

    /// A variable that is set to things of two types is of neither.
    private static void Note(Dictionary<(Ast, string), Type?> seen, VariableExpressionAst variable, Type? type)
    {
        var key = (ScopeOf(variable), variable.VariablePath.UserPath.ToLowerInvariant());
        seen[key] = !seen.TryGetValue(key, out var known) || known == type ? type : null;
    }

    private static Ast ScopeOf(Ast ast)
    {
        while (ast.Parent is not null && ast is not FunctionDefinitionAst)
        {
            ast = ast.Parent;
        }
        return ast;
    }

    private static bool IsNewObject(CommandAst command) =>
        "New-Object".Equals(command.GetCommandName(), StringComparison.OrdinalIgnoreCase) && !command.CommandElements.OfType<CommandParameterAst>().Any();

    private static string? CreatedName(CommandAst command) =>
        command.CommandElements.ElementAtOrDefault(1) is StringConstantExpressionAst name ? name.Value : null;

    /// `New-Object T a, b` and `New-Object T(a, b)` are the same.
    private static int CreationArguments(CommandAst command)
    {
        var given = command.CommandElements.Skip(2).ToArray();
        if (given is [ParenExpressionAst { Pipeline: PipelineAst { PipelineElements: [CommandExpressionAst { Expression: var inner }] } }])
        {
            return inner is ArrayLiteralAst list ? list.Elements.Count : 1;
        }
        return given is [ArrayLiteralAst literal] ? literal.Elements.Count : given.Length;
    }
}
