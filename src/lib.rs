//! LakeQL.
