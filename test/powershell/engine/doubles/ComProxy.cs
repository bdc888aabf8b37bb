using System.Collections;
using System.Dynamic;
using System.Management.Automation;
using System.Management.Automation.Internal;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Fettle.Engine.Doubles;

/// <summary>
/// A double as PowerShell sees a COM object, through IDispatch: members without regard to case, and errors of a call
/// that are not wrapped in a MethodInvocationException, unless the host's model says that it is an old one. The members
/// are not the proxy's own, because PowerShell would call those itself.
/// </summary>
public class ComProxy : DynamicObject
{
    private const BindingFlags Public = BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase;

    private readonly ComObject _inner;

    private ComProxy(ComObject inner) => _inner = inner;

    public static object? Wrap(object? value) => value switch
    {
        IEnumerable and ComObject inner => new Enumerable(inner),
        ComObject inner => new ComProxy(inner),
        _ => value,
    };

    public override bool TryGetMember(GetMemberBinder binder, out object? result)
    {
        var property = _inner.GetType().GetProperty(binder.Name, Public);
        result = property is null ? null : Call(() =>
        {
            _inner.BeforeRead(property.Name);
            return property.GetValue(_inner);
        });
        return property is not null;
    }

    public override bool TrySetMember(SetMemberBinder binder, object? value)
    {
        if (_inner.GetType().GetProperty(binder.Name, Public) is not { CanWrite: true } property)
        {
            return false;
        }
        Call(() =>
        {
            property.SetValue(_inner, Converted(value, property.PropertyType));
            return null;
        });
        return true;
    }

    public override bool TryInvokeMember(InvokeMemberBinder binder, object?[]? args, out object? result)
    {
        var given = args ?? [];
        var method = _inner.GetType().GetMethods(Public).FirstOrDefault(candidate =>
            candidate.Name.Equals(binder.Name, StringComparison.OrdinalIgnoreCase) && Accepts(candidate, given.Length));
        if (method is null)
        {
            result = null;
            return false;
        }
        result = Call(() => method.Invoke(_inner, Arguments(method, given)));
        if (method.ReturnType == typeof(void))
        {
            // Nothing, which is not the same as null: it leaves no trace in the output.
            result = AutomationNull.Value;
        }
        return true;
    }

    private static bool Accepts(MethodInfo method, int count)
    {
        var parameters = method.GetParameters();
        return count <= parameters.Length && parameters.Skip(count).All(parameter => parameter.IsOptional);
    }

    private static object?[] Arguments(MethodInfo method, object?[] given) =>
        method.GetParameters()
            .Select((parameter, index) => index < given.Length ? Converted(given[index], parameter.ParameterType) : parameter.DefaultValue)
            .ToArray();

    private static object? Converted(object? value, Type type)
    {
        var plain = value is PSObject wrapped ? wrapped.BaseObject : value;
        if (plain is ComProxy proxy)
        {
            return proxy._inner;
        }
        try
        {
            return LanguagePrimitives.ConvertTo(plain, type, System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (PSInvalidCastException)
        {
            // DISP_E_TYPEMISMATCH
            throw new COMException("Type mismatch. (Exception from HRESULT: 0x80020005 (DISP_E_TYPEMISMATCH))", unchecked((int)0x80020005));
        }
    }

    private static object? Call(Func<object?> member)
    {
        try
        {
            return Wrap(member());
        }
        catch (Exception error)
        {
            var cause = error is TargetInvocationException { InnerException: { } inner } ? inner : error;
            if (Model.Read().Object("agent").Flag("wrapsComErrors"))
            {
                throw new MethodInvocationException($"Exception calling the member: \"{cause.Message}\"", cause);
            }
            ExceptionDispatchInfo.Throw(cause);
            throw;
        }
    }

    private sealed class Enumerable(ComObject inner) : ComProxy(inner), IEnumerable
    {
        public IEnumerator GetEnumerator() => ((IEnumerable)_inner).Cast<object>().Select(Wrap).GetEnumerator();
    }
}
