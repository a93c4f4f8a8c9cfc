//! Format specifications: `f'{value:>10.3f}'`.

use super::number::Real;
use super::{Value, text};
use crate::builtins::time;
use crate::{Meter, Raised};
use num_bigint::BigInt;
use num_traits::ToPrimitive;

/// Most digits behind the point.
const MAX_PRECISION: usize = 5_000;

/// A specification, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) fill: char,
    pub(crate) align: Option<char>,
    pub(crate) sign: char,
    pub(crate) alternate: bool,
    pub(crate) width: usize,
    pub(crate) grouping: Option<char>,
    pub(crate) precision: Option<usize>,
    pub(crate) kind: Option<char>,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            fill: ' ',
            align: None,
            sign: '-',
            alternate: false,
            width: 0,
            grouping: None,
            precision: None,
            kind: None,
        }
    }
}

impl Spec {
    fn parse(spec: &str) -> Result<Self, Raised> {
        let bad = || Raised::value_error("not a format specification");
        let mut parsed = Self::default();
        let mut chars = spec.chars().peekable();
        let is_align = |c: char| matches!(c, '<' | '>' | '=' | '^');
        let mut ahead = spec.chars();
        match (ahead.next(), ahead.next()) {
            (Some(fill), Some(align)) if is_align(align) => {
                parsed.fill = fill;
                parsed.align = Some(align);
                chars.next();
                chars.next();
            }
            (Some(align), _) if is_align(align) => {
                parsed.align = Some(align);
                chars.next();
            }
            _ => {}
        }
        if let Some(sign) = chars.next_if(|c| matches!(c, '+' | '-' | ' ')) {
            parsed.sign = sign;
        }
        if chars.next_if_eq(&'z').is_some() {
            return Err(Raised::unsupported("the format option z"));
        }
        parsed.alternate = chars.next_if_eq(&'#').is_some();
        if chars.next_if_eq(&'0').is_some() && parsed.align.is_none() {
            parsed.fill = '0';
            parsed.align = Some('=');
        }
        let number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| -> Result<Option<usize>, Raised> {
            let mut value = None;
            while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
                chars.next();
                let next = value.unwrap_or(0_usize).saturating_mul(10).saturating_add(digit as usize);
                value = Some(next);
            }
            match value {
                Some(value) if value > i32::MAX as usize => Err(Raised::limit("the width of a format is too large")),
                value => Ok(value),
            }
        };
        parsed.width = number(&mut chars)?.unwrap_or(0);
        parsed.grouping = chars.next_if(|c| matches!(c, ',' | '_'));
        if chars.next_if_eq(&'.').is_some() {
            parsed.precision = Some(number(&mut chars)?.ok_or_else(bad)?);
        }
        parsed.kind = chars.next();
        if chars.next().is_some() { Err(bad()) } else { Ok(parsed) }
    }

    /// Fills up to the width; `sign` stays in front where zeros fill.
    pub(crate) fn pad(&self, sign: &str, body: &str, default_align: char, meter: &Meter) -> Result<String, Raised> {
        let length = sign.chars().count() + body.chars().count();
        let missing = self.width.saturating_sub(length);
        meter.allocate((sign.len() + body.len()).saturating_add(missing.saturating_mul(self.fill.len_utf8())))?;
        let fill = |count: usize| std::iter::repeat_n(self.fill, count).collect::<String>();
        Ok(match self.align.unwrap_or(default_align) {
            '<' => format!("{sign}{body}{}", fill(missing)),
            '^' => format!("{}{sign}{body}{}", fill(missing / 2), fill(missing - missing / 2)),
            '=' => format!("{sign}{}{body}", fill(missing)),
            _ => format!("{}{sign}{body}", fill(missing)),
        })
    }

    fn sign_text(&self, negative: bool) -> &'static str {
        match (negative, self.sign) {
            (true, _) => "-",
            (false, '+') => "+",
            (false, ' ') => " ",
            (false, _) => "",
        }
    }

    fn digits_behind_point(&self, default: usize) -> Result<usize, Raised> {
        match self.precision {
            Some(precision) if precision > MAX_PRECISION => {
                Err(Raised::limit("the precision of a format is too large"))
            }
            precision => Ok(precision.unwrap_or(default)),
        }
    }
}

/// `format(value, spec)`
pub(crate) fn format(value: &Value, spec: &str, meter: &Meter) -> Result<Value, Raised> {
    if spec.is_empty() {
        return text::str(value, meter);
    }
    let value = value.unwrapped();
    let formatted = match value {
        Value::Datetime(time) => time::strftime(*time, spec, meter)?,
        Value::Date(date) => time::strftime(date.and_time(chrono::NaiveTime::MIN), spec, meter)?,
        Value::Str(text) => format_text(text, &Spec::parse(spec)?, meter)?,
        _ => match Real::of(value) {
            Some(real) => format_real(real, Spec::parse(spec)?, meter)?,
            None => {
                let message = format!("a value of type {} takes no format specification", value.type_name());
                return Err(Raised::type_error(message));
            }
        },
    };
    Ok(Value::text(formatted))
}

fn format_text(text: &str, spec: &Spec, meter: &Meter) -> Result<String, Raised> {
    let numeric = spec.align == Some('=') && spec.fill != '0';
    if !matches!(spec.kind, None | Some('s'))
        || spec.sign != '-'
        || spec.alternate
        || spec.grouping.is_some()
        || numeric
    {
        return Err(Raised::value_error("this format is not one for texts"));
    }
    let cut = match spec.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.to_owned(),
    };
    let align = if spec.align == Some('=') { Some('<') } else { spec.align };
    Spec { align, ..spec.clone() }.pad("", &cut, '<', meter)
}

fn format_real(real: Real<'_>, spec: Spec, meter: &Meter) -> Result<String, Raised> {
    match (spec.kind, real) {
        (Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%'), _) | (_, Real::Float(_)) => {
            let float = real.to_f64();
            if float.is_infinite() && !matches!(real, Real::Float(_)) {
                return Err(Raised::overflow("the integer is too large for a float"));
            }
            format_float(float, spec, meter)
        }
        _ => match real.to_big() {
            Some(int) => format_integer(&int, spec, meter),
            None => Err(Raised::value_error("not an integer")),
        },
    }
}

fn format_integer(int: &BigInt, spec: Spec, meter: &Meter) -> Result<String, Raised> {
    if spec.precision.is_some() {
        return Err(Raised::value_error("integers have no precision"));
    }
    if spec.kind == Some('c') {
        let c = int.to_u32().and_then(char::from_u32);
        let c = c.ok_or_else(|| Raised::overflow("not the number of a character"))?;
        return spec.pad("", &c.to_string(), '<', meter);
    }
    let negative = int.sign() == num_bigint::Sign::Minus;
    let (prefix, digits) = match spec.kind {
        None | Some('d' | 'n') => ("", super::integer::to_text(int)?.trim_start_matches('-').to_owned()),
        Some(kind) => {
            let (radix, prefix) = match kind {
                'x' => (16, "0x"),
                'X' => (16, "0X"),
                'o' => (8, "0o"),
                'b' => (2, "0b"),
                _ => return Err(Raised::value_error("this format is not one for integers")),
            };
            meter.allocate(int.bits() as usize)?;
            let digits = int.magnitude().to_str_radix(radix);
            (if spec.alternate { prefix } else { "" }, if kind == 'X' { digits.to_uppercase() } else { digits })
        }
    };
    if spec.grouping == Some(',') && !matches!(spec.kind, None | Some('d')) {
        return Err(Raised::value_error("commas group decimal digits only"));
    }
    let group = if matches!(spec.kind, Some('x' | 'X' | 'o' | 'b')) { 4 } else { 3 };
    let sign = format!("{}{prefix}", spec.sign_text(negative));
    layout(&spec, &sign, &digits, "", group, meter)
}

fn format_float(value: f64, spec: Spec, meter: &Meter) -> Result<String, Raised> {
    let negative = value.is_sign_negative() && !value.is_nan();
    let magnitude = value.abs();
    let upper = matches!(spec.kind, Some('E' | 'F' | 'G'));
    let mut body = match text::not_finite(magnitude) {
        Some(name) => {
            if spec.kind == Some('%') {
                format!("{name}%")
            } else {
                name.to_owned()
            }
        }
        None => match spec.kind {
            Some('f' | 'F') => fixed(magnitude, spec.digits_behind_point(6)?, spec.alternate),
            Some('e' | 'E') => scientific(magnitude, spec.digits_behind_point(6)?, spec.alternate),
            Some('%') => fixed(magnitude * 100.0, spec.digits_behind_point(6)?, spec.alternate) + "%",
            Some('g' | 'G' | 'n') => general(magnitude, spec.digits_behind_point(6)?, spec.alternate, false),
            None => match spec.precision {
                None => text::float_repr(magnitude),
                Some(_) => general(magnitude, spec.digits_behind_point(6)?, spec.alternate, true),
            },
            Some(_) => return Err(Raised::value_error("this format is not one for floats")),
        },
    };
    if upper {
        body = body.to_uppercase();
    }
    let split = body.find(|c: char| !c.is_ascii_digit()).unwrap_or(body.len());
    let (whole, rest) = body.split_at(split);
    layout(&spec, spec.sign_text(negative), whole, rest, 3, meter)
}

/// Groups the digits and fills up to the width; zeros that fill are grouped like digits.
fn layout(spec: &Spec, sign: &str, whole: &str, rest: &str, group: usize, meter: &Meter) -> Result<String, Raised> {
    let Some(separator) = spec.grouping else {
        return spec.pad(sign, &format!("{whole}{rest}"), '>', meter);
    };
    let mut digits = whole.to_owned();
    if spec.fill == '0' && spec.align == Some('=') {
        meter.allocate(spec.width)?;
        let taken = sign.chars().count() + rest.chars().count();
        let grouped = |count: usize| count + count.saturating_sub(1) / group;
        let mut count = digits.len();
        while taken + grouped(count) < spec.width {
            count += 1;
        }
        digits = "0".repeat(count - digits.len()) + &digits;
    }
    let mut body = String::with_capacity(digits.len() * 4 / 3 + rest.len());
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(group) {
            body.push(separator);
        }
        body.push(digit);
    }
    spec.pad(sign, &(body + rest), '>', meter)
}

/// `%f`
pub(crate) fn fixed(value: f64, precision: usize, alternate: bool) -> String {
    let mut out = format!("{value:.precision$}");
    if precision == 0 && alternate {
        out.push('.');
    }
    out
}

/// `%e`
pub(crate) fn scientific(value: f64, precision: usize, alternate: bool) -> String {
    let text = format!("{value:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if precision == 0 && alternate { "." } else { "" };
    format!("{digits}{point}e{}", text::exponent_text(exponent.parse().unwrap_or(0)))
}

/// `%g`; with `point` the result never looks like an integer.
pub(crate) fn general(value: f64, precision: usize, alternate: bool, point: bool) -> String {
    let precision = precision.max(1);
    let rounded = format!("{value:.*e}", precision - 1);
    let exponent: i32 = rounded.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    let strip = |text: String| {
        if alternate || !text.contains('.') {
            return text;
        }
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let limit = precision as i32 - i32::from(point);
    if exponent < -4 || exponent >= limit {
        let (digits, _) = rounded.split_once('e').unwrap_or((&rounded, ""));
        return format!("{}e{}", strip(digits.to_owned()), text::exponent_text(exponent));
    }
    let text = strip(format!("{value:.*}", (precision as i32 - 1 - exponent).max(0) as usize));
    match text.contains('.') {
        true => text,
        false if point => text + ".0",
        false if alternate => text + ".",
        false => text,
    }
}
