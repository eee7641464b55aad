//! The types of SQL in Tide's words.

use datafusion_sql::sqlparser::ast::{ArrayElemTypeDef, DataType, ExactNumberInfo};
use tidebook_plan::Span;

use super::Sql;
use crate::diagnostics::names;
use crate::resolve::fault::Resolved;
use crate::syntax::tree::{Name, TypeExpr, TypeExprKind};

impl Sql<'_, '_> {
    /// The type, as one would write it in Tide.
    pub(super) fn data_type(&self, ty: &DataType, span: Span) -> Resolved<TypeExpr> {
        let named = |word: &str, parameters: Vec<i64>| TypeExpr {
            kind: TypeExprKind::Named { name: Name { text: word.to_string(), span }, parameters },
            nullable: false,
            span,
        };
        let number = |digits: u64| i64::try_from(digits).unwrap_or(i64::MAX);
        let word = match ty {
            DataType::Bool | DataType::Boolean => "bool",
            DataType::TinyInt(_)
            | DataType::Int2(_)
            | DataType::SmallInt(_)
            | DataType::MediumInt(_)
            | DataType::Int(_)
            | DataType::Int4(_)
            | DataType::Int8(_)
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Integer(_)
            | DataType::BigInt(_)
            | DataType::Signed
            | DataType::SignedInteger => "int",
            DataType::Float(_)
            | DataType::Float4
            | DataType::Float8
            | DataType::Float32
            | DataType::Float64
            | DataType::Real
            | DataType::Double(_)
            | DataType::DoublePrecision => "float",
            DataType::Numeric(digits) | DataType::Decimal(digits) | DataType::Dec(digits) => {
                let parameters = match digits {
                    ExactNumberInfo::None => Vec::new(),
                    ExactNumberInfo::Precision(precision) => vec![number(*precision)],
                    ExactNumberInfo::PrecisionAndScale(precision, scale) => vec![number(*precision), *scale],
                };
                return Ok(named("decimal", parameters));
            }
            DataType::Character(_)
            | DataType::Char(_)
            | DataType::CharacterVarying(_)
            | DataType::CharVarying(_)
            | DataType::Varchar(_)
            | DataType::Nvarchar(_)
            | DataType::Text
            | DataType::TinyText
            | DataType::MediumText
            | DataType::LongText
            | DataType::Clob(_)
            | DataType::String(_)
            | DataType::Uuid => "text",
            DataType::Binary(_) | DataType::Varbinary(_) | DataType::Blob(_) | DataType::Bytes(_) | DataType::Bytea => {
                "bytes"
            }
            DataType::Date | DataType::Date32 => "date",
            DataType::Datetime(_) | DataType::Timestamp(..) | DataType::TimestampNtz(_) => "timestamp",
            DataType::Interval { .. } => "duration",
            DataType::JSON | DataType::JSONB => "json",
            DataType::Array(ArrayElemTypeDef::SquareBracket(item, _) | ArrayElemTypeDef::AngleBracket(item)) => {
                let item = Box::new(self.data_type(item, span)?);
                return Ok(TypeExpr { kind: TypeExprKind::List(item), nullable: false, span });
            }
            // The language's own words, which SQL does not know.
            DataType::Custom(name, _) => return Ok(named(&name.to_string(), Vec::new())),
            other => {
                let message = format!("unknown type `{other}`");
                return Err(names::UNKNOWN_TYPE.error(message, span).into());
            }
        };
        Ok(named(word, Vec::new()))
    }
}
